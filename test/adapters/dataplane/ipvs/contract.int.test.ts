// runtimes: (vm)
// netns: own
/** The contract of dataplanes, by packets, where the kernel has IPVS: the virtual machine. Its core is always run: packets.int.test.ts. */
import "../../../support/own-netns.ts"
import { dataplaneContract } from "../dataplane-contract.ts"
import { ipvs } from "./subject.ts"

dataplaneContract(ipvs)
