// runtimes: bun (deno)
// netns: own
/** iptables as this machine has it (over nf_tables, on Debian), judged by packets. */
import "../../support/own-netns.ts"
import { layer } from "../../../src/adapters/dataplane/iptables/live.ts"
import { requires } from "../../support/requires.ts"
import { dataplaneContract } from "./dataplane-contract.ts"

const both = (script: string): string => `for ip in iptables ip6tables; do ${script}
done`

dataplaneContract({
  mode: "iptables",
  module: new URL("../../../src/adapters/dataplane/iptables/live.ts", import.meta.url),
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
      name: "a server's address is another",
      script: both(
        `rule=$($ip-save -t nat | grep -m 1 -e '^-A KUBE-SEP-.* DNAT '); { echo '*nat'; echo "$rule" | sed 's/^-A/-D/'
          echo "$rule" | sed 's/--to-destination \\(.*\\):[0-9]*$/--to-destination \\1:9/'; echo COMMIT; } | $ip-restore -w --noflush`
      ),
      found: ["altered"]
    },
    {
      name: "rules and chains of nobody's stand among ours of one family",
      script:
        "ip6tables -t nat -N KUBE-SVC-AAAAAAAAAAAAAAAA; ip6tables -t nat -A KUBE-SERVICES -j KUBE-SVC-AAAAAAAAAAAAAAAA",
      found: ["unexpected"]
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
    make: both(`$ip-restore -w --noflush <<'END'
*nat
:OTHERS - [0:0]
-A OTHERS -p tcp --dport 9 -m comment --comment "theirs, not -j KUBE-SERVICES" -j ACCEPT
-A PREROUTING -j OTHERS
-A POSTROUTING -p udp --dport 9 -j OTHERS
COMMIT
*filter
:OTHERS - [0:0]
-A OTHERS -p tcp --dport 9 -j REJECT
-A INPUT -p tcp --dport 9 -j OTHERS
-A FORWARD -p tcp --dport 9 -j OTHERS
COMMIT
*mangle
-A FORWARD -p tcp --dport 9 -j MARK --set-xmark 0x7/0xffffffff
COMMIT
END`),
    read: both("$ip-save -t mangle | grep -e '^-A'; $ip-save | grep -e OTHERS")
  },
  ours: both("$ip-save | grep KUBE- | grep -v OTHERS || true"),
  tools: [
    { program: "iptables-restore", package: "iptables" },
    { program: "iptables-save", package: "iptables" }
  ],
  load: { servers: 2_000, crowd: 300, syncMillis: 300, kills: 4, patience: 60_000 }
})
