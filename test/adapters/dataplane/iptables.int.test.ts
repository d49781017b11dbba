// netns: own
/** iptables as this machine has it (over nf_tables, on Debian), judged by packets. */
import { requires } from "../../support/requires.ts"
import { dataplaneContract } from "./dataplane-contract.ts"
import { layer } from "./iptables/live-layer.ts"

const both = (script: string): string => `for ip in iptables ip6tables; do ${script}; done`

dataplaneContract({
  mode: "iptables",
  module: new URL("iptables/live-layer.ts", import.meta.url),
  layer,
  skip: requires("linux", "root", "ip", "iptables").skip,
  deviations: {},
  disturbances: [
    {
      name: "all its chains are flushed",
      script: both(
        "for table in nat filter; do $ip-save -t $table | sed -n 's/^:\\(KUBE-[^ ]*\\).*/-F \\1/p' | xargs -L1 $ip -t $table; done"
      ),
      found: ["missing"]
    },
    {
      name: "the jumps to its chains are gone",
      script: both("$ip -t nat -D PREROUTING 1; $ip -D FORWARD 1; $ip -D FORWARD 1"),
      found: ["missing"]
    },
    {
      name: "a server's chain leads elsewhere",
      script: both(
        'chain=$($ip-save -t nat | sed -n "s/^:\\(KUBE-SEP-[A-Z0-9]*\\) .*/\\1/p" | head -n 1); $ip -t nat -R $chain 2 -p tcp -j RETURN'
      ),
      found: ["altered"]
    },
    {
      name: "rules and chains of nobody's stand among ours",
      script: both(
        "$ip -t nat -I KUBE-SERVICES -p tcp -j RETURN; $ip -t nat -A KUBE-MARK-MASQ -j RETURN; $ip -t nat -N KUBE-SEP-AAAAAAAAAAAAAAAA"
      ),
      found: ["unexpected"]
    },
    {
      name: "a Service's rules are gone from the chain of all",
      script: both("$ip -t nat -F KUBE-SERVICES"),
      found: ["missing"]
    }
  ],
  foreign: {
    make: both(
      "$ip -t nat -N OTHERS; $ip -t nat -A OTHERS -p tcp --dport 9 -j RETURN; $ip -t nat -A PREROUTING -j OTHERS; $ip -N OTHERS; $ip -A OTHERS -p udp --dport 9 -j DROP"
    ),
    read: both(
      "$ip-save -t nat | grep -w OTHERS | sed 's/ \\[.*//'; $ip-save -t filter | grep -w OTHERS | sed 's/ \\[.*//'"
    )
  },
  ours: both("$ip-save | grep KUBE- || true"),
  tools: [
    { program: "iptables-restore", package: "iptables" },
    { program: "iptables-save", package: "iptables" }
  ],
  load: { servers: 2_000, crowd: 300, syncMillis: 300, kills: 4, patience: 60_000 }
})
