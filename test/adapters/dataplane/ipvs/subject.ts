/** IPVS as the contract of dataplanes sees it. */
import { type Layer, Layer as Layers } from "effect"
import * as live from "../../../../src/adapters/dataplane/ipvs/live.ts"
import type { Dataplane, DataplaneSettings } from "../../../../src/adapters/dataplane/port.ts"
import * as sysctls from "../../../../src/adapters/sysctl/live.ts"
import { requires } from "../../../support/requires.ts"
import type { Subject } from "../dataplane-contract.ts"

/** Everything that it needs is in it: other processes of the contract take it from here. */
export const layer = (settings: DataplaneSettings): Layer.Layer<Dataplane> =>
  Layers.provide(live.layer(settings), sysctls.layer)

const theirs = "ipvsadm -A -t 192.0.2.77:77 -s wrr; ipvsadm -a -t 192.0.2.77:77 -r 192.0.2.78:78 -m -w 7"

export const ipvs: Subject = {
  mode: "ipvs",
  module: new URL(import.meta.url),
  layer,
  skip: requires("root", "ip", "nft", "ipvsadm", "ipvs").skip,
  deviations: {
    "the node's own SCTP over IPv6": "IPVS of Linux 6.1 answers some of these associations with a reset, or not at all",
    "flows of UDP end with their server":
      "with expire_nodest_conn IPVS takes its connections and the kernel's away by itself (ip_vs_expire_nodest_conn_flush)",
    "affinity ends with its time":
      "IPVS counts from the end of a client's last connection, whose remains last two minutes"
  },
  disturbances: [
    { name: "everything of nftables is flushed", script: "nft flush ruleset", found: ["missing"] },
    {
      name: "all virtual servers are cleared",
      // Those of others are made again.
      script: `ipvsadm -C; ${theirs}`,
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
      name: "a virtual server and its real servers are edited",
      script: [
        'set -- $(ipvsadm -Sn | awk \'$1 == "-a" && $2 == "-t" && $3 ~ /^10/ { print $3, $5; exit }\')',
        "ipvsadm -e -t $1 -r $2 -m -w 5",
        "ipvsadm -E -t $1 -s sh",
        "ipvsadm -a -t $1 -r 192.0.2.1:80 -m"
      ].join("; "),
      found: ["altered", "unexpected"]
    }
  ],
  foreign: {
    make: `${theirs}; ip link add others type dummy; ip addr add 192.0.2.77/32 dev others`,
    read: "ipvsadm -Sn | grep 192.0.2.7 | sort; ip -o -4 addr show dev others"
  },
  ours: [
    "ip -o link show dev chronode-ipvs0 2>/dev/null || true",
    "nft list tables | grep chronode || true",
    "ipvsadm -Sn | grep -v 192.0.2.7 || true"
  ].join("; "),
  tools: [{ program: "nft", package: "nftables" }],
  // Where there is IPVS, JavaScript is twenty times slower.
  load: { servers: 1_500, crowd: 200, syncMillis: 3_000, kills: 2, patience: 200_000 }
}
