// runtimes: (vm)
// netns: own
/** The contract of dataplanes, by packets, where the kernel has IPVS: the virtual machine. */
import { Layer } from "effect"
import { layer } from "../../../../src/adapters/dataplane/ipvs/live.ts"
import * as sysctls from "../../../../src/adapters/sysctl/live.ts"
import { requires } from "../../../support/requires.ts"
import { dataplaneContract } from "../dataplane-contract.ts"

dataplaneContract({
  mode: "ipvs",
  layer: (settings) => Layer.provide(layer(settings), sysctls.layer),
  skip: requires("root", "ip", "nft", "ipvsadm", "ipvs").skip,
  deviations: {
    "affinity ends with its time":
      "IPVS counts from the end of a client's last connection, whose remains last two minutes"
  },
  disturbances: [
    { name: "everything of nftables is flushed", script: "nft flush ruleset", found: ["missing"] },
    {
      name: "all virtual servers are cleared",
      // Those of others are made again.
      script: "ipvsadm -C; ipvsadm -A -t 192.0.2.77:77 -s wrr; ipvsadm -a -t 192.0.2.77:77 -r 192.0.2.78:78 -m -w 7",
      found: ["missing"]
    },
    { name: "the device is removed", script: "ip link del chronode-ipvs0", found: ["missing"] },
    {
      name: "addresses and rules come and go",
      script: [
        "ip addr add 192.0.2.99/32 dev chronode-ipvs0",
        "ip addr del $(ip -o -4 addr show dev chronode-ipvs0 | awk 'NR == 1 { print $4 }') dev chronode-ipvs0",
        "nft flush chain inet chronode-ipvs postrouting"
      ].join("; "),
      found: ["missing", "altered", "unexpected"]
    },
    {
      name: "real servers are taken out and changed",
      script: [
        'first=$(ipvsadm -Sn | awk \'$1 == "-a" && $2 == "-t" && $3 ~ /^10/ { print $3, $5; exit }\')',
        "set -- $first",
        "ipvsadm -e -t $1 -r $2 -m -w 5",
        "ipvsadm -E -t $1 -s sh",
        "ipvsadm -a -t $1 -r 192.0.2.1:80 -m"
      ].join("; "),
      found: ["altered", "unexpected"]
    }
  ],
  foreign: {
    make: [
      "ipvsadm -A -t 192.0.2.77:77 -s wrr",
      "ipvsadm -a -t 192.0.2.77:77 -r 192.0.2.78:78 -m -w 7",
      "ip link add others type dummy",
      "ip addr add 192.0.2.77/32 dev others"
    ].join("; "),
    read: "ipvsadm -Sn | grep 192.0.2.7 | sort; ip -o -4 addr show dev others"
  },
  ours: [
    "ip -o link show dev chronode-ipvs0 2>/dev/null || true",
    "nft list tables | grep chronode || true",
    "ipvsadm -Sn | grep -v 192.0.2.7 || true"
  ].join("; ")
})
