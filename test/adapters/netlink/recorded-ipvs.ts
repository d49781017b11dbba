/** Calls to IPVS whose talks with a real kernel are kept in fixtures/: record them in the virtual machine (scripts/lab/vm.ts). */

import type { Destination, ServiceId, ServiceOptions } from "../../../src/adapters/netlink/ipvs.ts"
import { type IpvsChange, openIpvs } from "../../../src/adapters/netlink/ipvs-calls.ts"
import type { RecordedCall } from "./recorded-calls.ts"

/** Every scheduler, flag, protocol and way of forwarding that is spoken of, made by another program. */
const setUp = `
ipvsadm -A -t 10.96.0.1:80 -s rr
ipvsadm -a -t 10.96.0.1:80 -r 10.0.0.1:8080 -m -w 3
ipvsadm -a -t 10.96.0.1:80 -r 10.0.0.2:8080 -m -w 0 -x 100 -y 50
ipvsadm -A -u 10.96.0.2:53 -s wrr -p 600
ipvsadm -a -u 10.96.0.2:53 -r 10.0.0.3:53 -g
ipvsadm -A -t 10.96.0.3:443 -s mh -b mh-port,mh-fallback -p 10800 -M 255.255.255.0
ipvsadm -A -t [fd00::1]:80 -s sh -b sh-port -p 90 -M 64
ipvsadm -a -t [fd00::1]:80 -r [fd00:1::1]:8080 -m
ipvsadm -A --sctp-service 10.96.0.4:36412 -s lc
ipvsadm -A -f 7 -s wlc
ipvsadm -a -f 7 -r 10.0.0.4 -i
ipvsadm -A -f 8 -6 -s nq
`

const tcp = (address: string, port: number): ServiceId => ({
  ...{ family: address.includes(":") ? "IPv6" : "IPv4", protocol: "TCP", address, port }
})
const options: ServiceOptions = { scheduler: "sed", flags: 0x4368_0001, timeout: 300, prefix: 32 }
const real = (address: string, weight = 1): Destination => ({
  ...{ family: "IPv4", address, port: 80, forwarding: "masquerade", weight, upper: 0, lower: 0 }
})
const service = tcp("10.96.0.9", 80)

const changes: ReadonlyArray<IpvsChange> = [
  { do: "newService", service, options },
  { do: "newDestination", service, destination: real("10.0.0.1") },
  { do: "newDestination", service, destination: real("10.0.0.2") },
  { do: "newDestination", service, destination: real("10.0.0.1") },
  { do: "newService", service: tcp("10.96.0.1", 80), options },
  { do: "setDestination", service, destination: real("10.0.0.2", 0) },
  { do: "setDestination", service, destination: real("10.0.0.7") },
  { do: "deleteDestination", service, destination: { address: "10.0.0.1", port: 80 } },
  { do: "deleteDestination", service, destination: { address: "10.0.0.8", port: 80 } },
  { do: "newDestination", service: tcp("10.96.0.10", 80), destination: real("10.0.0.1") },
  { do: "newService", service: tcp("10.96.0.11", 80), options: { ...options, scheduler: "no-such" } },
  { do: "newService", service: tcp("fd00::9", 80), options: { ...options, prefix: 129 } },
  { do: "newService", service: tcp("fd00::9", 80), options: { ...options, prefix: 128 } },
  { do: "setService", service: tcp("10.96.0.2", 80), options },
  { do: "deleteService", service: tcp("10.96.0.12", 80) },
  { do: "deleteService", service: { family: "IPv6", mark: 8 } }
]

export const recordedIpvs: Readonly<Record<string, RecordedCall>> = {
  "ipvs-listings": {
    protocol: "generic",
    setUp,
    call: (connection) => {
      const ipvs = openIpvs(connection)
      return {
        info: ipvs.info(),
        timeouts: ipvs.timeouts(),
        servers: ipvs.services().map((one) => ({ ...one, destinations: ipvs.destinations(one) })),
        one: ipvs.service(tcp("fd00::1", 80)),
        none: ipvs.service(tcp("10.96.0.77", 80)) ?? "none",
        noDestinations: ipvs.destinations(tcp("10.96.0.77", 80))
      }
    }
  },
  "ipvs-changes": {
    protocol: "generic",
    setUp: "ipvsadm -A -t 10.96.0.1:80 -s rr; ipvsadm -A -f 8 -6 -s nq",
    call: (connection) => {
      const ipvs = openIpvs(connection)
      const failures = [...ipvs.change(changes)].map(([index, error]) => [index, error.errnoName, error.message])
      ipvs.setTimeouts({ tcp: 800, udp: 33 })
      return {
        failures,
        timeouts: ipvs.timeouts(),
        servers: ipvs.services().map((one) => ({ ...one, destinations: ipvs.destinations(one) }))
      }
    }
  }
}
