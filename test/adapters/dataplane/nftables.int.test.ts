// netns: own
/** Services by nftables, with packets, in this machine's kernel. */
import "../../support/own-netns.ts"
import { dataplaneContract } from "./dataplane-contract.ts"
import { nftables } from "./nftables/subject.ts"

dataplaneContract(nftables)
