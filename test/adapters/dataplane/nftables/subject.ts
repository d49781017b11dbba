/** nftables as the contract of dataplanes sees it. */
import { layer } from "../../../../src/adapters/dataplane/nftables/live.ts"
import { requires } from "../../../support/requires.ts"
import type { Subject } from "../dataplane-contract.ts"

/** The first element of a map, as nft writes it. */
const firstOf = (family: string, map: string): string =>
  `nft list map ${family} chronode ${map} | tr -d '{}' | tr , '\\n' | sed '/typeof/d' | sed -n 's/^.*elements = *//; s/^[[:space:]]*//; / : /p' | head -n 1`

export const nftables: Subject = {
  mode: "nftables",
  module: new URL("../../../../src/adapters/dataplane/nftables/live.ts", import.meta.url),
  layer,
  ...requires("root", "ip", "nft"),
  deviations: {},
  disturbances: [
    { name: "somebody deletes a table", script: "nft delete table ip chronode", found: ["missing"] },
    {
      name: "somebody deletes both tables",
      script: "nft 'delete table ip chronode; delete table ip6 chronode'",
      found: ["missing"]
    },
    {
      name: "somebody empties a map of each family",
      script: "nft 'flush map ip chronode slots; flush map ip6 chronode services'",
      found: ["missing"]
    },
    {
      name: "somebody sends a server's share elsewhere",
      script: `first=$(${firstOf("ip", "slots")})
        key=\${first% : *}
        nft "delete element ip chronode slots { $key }; add element ip chronode slots { $key : 10.244.1.99 . 9 }"`,
      found: ["altered"]
    },
    {
      name: "somebody adds a virtual server",
      script: "nft 'add element ip chronode services { 10.96.99.99 . tcp . 80 : goto rejected }'",
      found: ["unexpected"]
    },
    {
      name: "somebody empties the chain that all packets go through",
      script: "nft 'flush chain ip chronode nat-prerouting; flush chain ip6 chronode nat-postrouting'",
      found: ["missing"]
    },
    {
      name: "somebody puts a rule of theirs into a chain",
      script: "nft insert rule ip6 chronode filter-forward counter drop",
      found: ["unexpected"]
    }
  ],
  foreign: {
    make: `nft -f - <<'END'
table inet others {
  set admins { type ipv4_addr; flags interval; elements = { 192.168.7.0/24, 10.1.2.3 }; }
  map ways { type ipv4_addr : verdict; elements = { 10.9.9.9 : accept }; }
  chain input { type filter hook input priority 10; policy accept; ip saddr @admins accept; tcp dport 9 drop; }
  chain nat { type nat hook prerouting priority -90; policy accept; ip daddr vmap @ways; }
}
table ip chronode-of-others {
  chain forward { type filter hook forward priority 5; ip ttl 1 drop; }
}
END`,
    read: "nft -s list table inet others; nft -s list table ip chronode-of-others"
  },
  tools: [{ program: "nft", package: "nftables" }],
  load: { servers: 100_000, crowd: 3_000, syncMillis: 400, kills: 6, patience: 60_000 },
  ours: "nft list tables | grep -w 'chronode$' || true"
}
