// netns: own
/** iptables refuses, is locked, is of the older kind: what the dataplane makes of it. The kernel and its programs are real. */
import "../../../support/own-netns.ts"
import assert from "node:assert/strict"
import { execFile, spawn } from "node:child_process"
import { chmodSync, writeFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { after, before, describe, it } from "node:test"
import { promisify } from "node:util"
import { Effect } from "effect"
import { liveSurroundings, make, maxServersOverNfTables } from "../../../../src/adapters/dataplane/iptables/live.ts"
import type { Programs } from "../../../../src/adapters/dataplane/iptables/run.ts"
import {
  type Change,
  type DataplaneSettings,
  rulesKey,
  type ServiceRules
} from "../../../../src/adapters/dataplane/port.ts"
import { make as sysctls } from "../../../../src/adapters/sysctl/live.ts"
import { loadedFrom, PacketTracer } from "../../../support/packet-tracer.ts"
import { findProgram, requires } from "../../../support/requires.ts"

const execute = promisify(execFile)
const settings: DataplaneSettings = {
  name: "chronode",
  families: ["IPv4"],
  masqueradeAll: false,
  masqueradeBit: 14,
  localDetector: { by: "cidr", cidrs: ["10.0.0.0/8"] },
  localhostNodePorts: false,
  ipvs: { scheduler: "rr", strictARP: false, excludeCIDRs: [], tcpTimeout: 0, tcpFinTimeout: 0, udpTimeout: 0 }
}

const service = (n: number, servers: ReadonlyArray<string>, more: Partial<ServiceRules> = {}): ServiceRules => ({
  ...{ namespace: "lab", name: `service-${n}`, portName: "", family: "IPv4", protocol: "TCP" },
  ...{ clusterIP: `172.30.0.${n}`, port: 80, externalIPs: [], loadBalancerIPs: [], sourceRanges: [] },
  ...{ internalLocal: false, externalLocal: false, local: [], hasAny: servers.length > 0 },
  cluster: servers.map((ip) => ({ ip, port: 8080, local: true })),
  ...more
})
const changeOf = (rules: ServiceRules): Change => ({ key: rulesKey(rules), rules })
const desired = (...rules: ReadonlyArray<ServiceRules>) => ({ rules, nodePortAddresses: [], healthCheckPorts: [] })

const backends = ["nft", "legacy"] as const
const programsOf = (backend: (typeof backends)[number], restore?: string): Programs => ({
  restore: restore ?? `iptables-${backend}-restore`,
  save: `iptables-${backend}-save`,
  command: `iptables-${backend}`
})

/** A server's address that no kernel of these tests takes. */
const poison = "10.66.66.66"

describe("iptables that fails", requires("linux", "root", "iptables"), () => {
  let folder = ""
  before(async () => {
    folder = await mkdtemp(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "iptables-"))
  })
  after(() => rm(folder, { recursive: true }))

  /** The real program but for rules with `poison`: `tells` says how it complains of the line. */
  const refusing = (backend: (typeof backends)[number], tells: "line" | "nothing"): string => {
    const path = join(folder, `${backend}-${tells}`)
    const real = findProgram(`iptables-${backend}-restore`)
    writeFileSync(
      path,
      `#!/bin/sh
[ "$1" = --version ] && exec ${real} --version
input=$(mktemp) && cat > "$input"
line=$(grep -n -F ${poison} "$input" | head -n 1 | cut -d: -f1)
[ ${tells} = line ] || [ -z "$line" ] || line=$(grep -n COMMIT "$input" | cut -d: -f1)
if [ -n "$line" ]; then echo "iptables-restore: line $line failed" >&2; rm "$input"; exit 1; fi
${real} "$@" < "$input"; code=$?; rm "$input"; exit $code
`
    )
    chmodSync(path, 0o755)
    return path
  }

  /** The real program, before whose first runs with rules somebody else removes all chains of servers. */
  const raced = (backend: (typeof backends)[number], times: number): string => {
    const path = join(folder, `${backend}-raced-${times}`)
    const real = findProgram(`iptables-${backend}-restore`)
    writeFileSync(
      path,
      `#!/bin/sh
[ "$1" = --version ] && exec ${real} --version
echo x >> ${path}.runs
if [ $(wc -l < ${path}.runs) -gt 1 ] && [ $(wc -l < ${path}.runs) -le ${1 + times} ]; then
  for chain in $(iptables-${backend}-save -t nat | sed -n 's/^:\\(KUBE-SVC-[^ ]*\\|KUBE-SEP-[^ ]*\\) .*/\\1/p' | sort -r); do
    iptables-${backend} -w -t nat -F $chain
    case $chain in KUBE-SEP-*) iptables-${backend} -w -t nat -X $chain ;; esac
  done
fi
exec ${real} "$@"
`
    )
    chmodSync(path, 0o755)
    return path
  }

  for (const backend of backends) {
    const skip = findProgram(`iptables-${backend}`) === undefined ? `needs iptables-${backend}` : false
    const dataplane = (restore?: string) => {
      const programs = programsOf(backend, restore)
      return make(settings, sysctls(), { ...liveSurroundings(), programs: { IPv4: programs, IPv6: programs } })
    }
    const save = async () => (await execute(`iptables-${backend}-save`, ["-t", "nat"])).stdout
    const tracer = async () =>
      new PacketTracer(
        loadedFrom(`${await save()}${(await execute(`iptables-${backend}-save`, ["-t", "filter"])).stdout}`),
        ["192.168.0.2"]
      )
    const outputs = async (...list: ReadonlyArray<ServiceRules>) => {
      const found = await tracer()
      return list.map(
        ({ clusterIP }) =>
          found.trace({ sourceIP: "10.0.0.9", destIP: clusterIP, destPort: 80, protocol: "TCP", device: "eth0" }).output
      )
    }

    describe(`over ${backend}`, { skip }, () => {
      after(() => Effect.runPromise(dataplane().cleanup))

      for (const tells of ["line", "nothing"] as const) {
        it(`refuses the one Service that the kernel does not take, and has all others in force; told: ${tells}`, async () => {
          const it = dataplane(refusing(backend, tells))
          const [one, two, three] = [service(1, ["10.0.1.1"]), service(2, ["10.0.1.2"]), service(3, ["10.0.1.3"])]
          const bad = service(4, ["10.0.1.4", poison])
          const first = await Effect.runPromise(it.resync(desired(one, bad, two)))
          assert.deepEqual(
            first.refused.map(({ key }) => key),
            [rulesKey(bad)]
          )
          assert.deepEqual(await outputs(one, two, bad), ["10.0.1.1:8080", "10.0.1.2:8080", ""])
          // What was in force stays so when its change is refused.
          const worse = service(2, ["10.0.1.2", poison])
          const next = await Effect.runPromise(
            it.apply([changeOf(three), changeOf(worse), changeOf(service(1, ["10.0.1.9"]))])
          )
          assert.deepEqual(
            next.refused.map(({ key }) => key),
            [rulesKey(two)]
          )
          assert.deepEqual(await outputs(one, two, three), ["10.0.1.9:8080", "10.0.1.2:8080", "10.0.1.3:8080"])
          assert.deepEqual((await Effect.runPromise(it.apply([changeOf(service(2, ["10.0.1.5"]))]))).refused, [])
          assert.deepEqual(await outputs(two), ["10.0.1.5:8080"])
          assert.deepEqual(await Effect.runPromise(it.apply([{ key: rulesKey(three), rules: undefined }])), {
            refused: []
          })
          assert.deepEqual(await outputs(three), [""])
        })
      }

      it("refuses what is no address without asking the kernel, and says why", async () => {
        const it = dataplane()
        const good = service(1, ["10.0.1.1"])
        const bad = service(2, ["10.0.1.2\n-A INPUT -j DROP"])
        const { refused } = await Effect.runPromise(it.resync(desired(good, bad, service(3, ["fd00::1"]))))
        assert.deepEqual(
          refused.map(({ key }) => key),
          [rulesKey(bad), "lab/service-3:/IPv4"]
        )
        assert.match(refused[1]!.message, /fd00::1 is no address of the family IPv4/)
        assert.deepEqual(await outputs(good), ["10.0.1.1:8080"])
      })

      if (backend === "nft") {
        it("refuses so many endpoints of one port that all others would wait for minutes, and leaves in force what was", async () => {
          const it = dataplane()
          const few = service(1, ["10.0.1.1"])
          const many = Array.from({ length: maxServersOverNfTables + 1 }, (_, n) => `10.1.${n >> 8}.${n & 255}`)
          await Effect.runPromise(it.resync(desired(few)))
          for (const { refused } of [
            await Effect.runPromise(it.apply([changeOf(service(1, many)), changeOf(service(2, ["10.0.1.2"]))])),
            await Effect.runPromise(it.resync(desired(service(1, many), service(2, ["10.0.1.2"]))))
          ]) {
            assert.deepEqual(
              refused.map(({ key }) => key),
              [rulesKey(few)]
            )
            assert.match(refused[0]!.message, /20001 endpoints: .*nftables or ipvs/)
            assert.deepEqual(await outputs(few, service(2, [])), ["10.0.1.1:8080", "10.0.1.2:8080"])
          }
        })
      }

      for (const times of [1, 2]) {
        it(`blames no Service for what others remove between a look and a change; ${times} times`, async () => {
          await Effect.runPromise(dataplane().cleanup)
          const it = dataplane(raced(backend, times))
          // In one input of its own first, for the chains to be there.
          const one = service(1, ["10.0.1.1"])
          await Effect.runPromise(dataplane().resync(desired(one)))
          await Effect.runPromise(it.resync(desired(one, service(2, ["10.0.1.2"]))))
          const more = service(1, ["10.0.1.1", "10.0.1.3"])
          assert.deepEqual(await Effect.runPromise(it.apply([changeOf(more)])), { refused: [] })
          const { refused } = await Effect.runPromise(it.resync(desired(more, service(2, ["10.0.1.2"]))))
          assert.deepEqual(refused, [])
          assert.deepEqual(await outputs(one, service(2, [])), ["10.0.1.1:8080, 10.0.1.3:8080", "10.0.1.2:8080"])
        })
      }

      it("mends by itself what others broke when a change meets it", async () => {
        const it = dataplane()
        const [one, two] = [service(1, ["10.0.1.1"]), service(2, ["10.0.1.2"])]
        await Effect.runPromise(it.resync(desired(one, two)))
        await execute(`iptables-${backend}`, ["-w", "-t", "nat", "-F", "KUBE-SERVICES"])
        assert.deepEqual(await outputs(one, two), ["", ""])
        // Its rule is to be deleted, and is not there.
        assert.deepEqual(await Effect.runPromise(it.apply([{ key: rulesKey(one), rules: undefined }])), { refused: [] })
        assert.deepEqual(await outputs(one, two), ["", "10.0.1.2:8080"])
      })

      it("leaves a chain of a Service that others' rules lead to, empty, and removes it at the end", async () => {
        const it = dataplane()
        const one = service(1, ["10.0.1.1"])
        await Effect.runPromise(it.resync(desired(one)))
        const chain = /KUBE-SVC-\w+/.exec(await save())![0]
        await execute(`iptables-${backend}`, ["-w", "-t", "nat", "-A", "PREROUTING", "-p", "sctp", "-j", chain])
        assert.deepEqual(await Effect.runPromise(it.apply([{ key: rulesKey(one), rules: undefined }])), { refused: [] })
        const text = await save()
        assert.match(text, new RegExp(`:${chain} `))
        assert.doesNotMatch(text, new RegExp(`-A ${chain} `))
        assert.doesNotMatch(text, /KUBE-SEP/)
        await Effect.runPromise(it.cleanup)
        assert.doesNotMatch(await save(), /KUBE-/)
      })

      it("changes many Services at once, also so many that it goes in several inputs", async () => {
        const it = dataplane()
        const crowd = (server: string) => Array.from({ length: 240 }, (_, n) => service(n + 1, [server, "10.0.1.200"]))
        await Effect.runPromise(it.resync(desired(...crowd("10.0.1.1"))))
        await Effect.runPromise(it.apply(crowd("10.0.1.2").map(changeOf)))
        assert.deepEqual(await outputs(service(240, [])), ["10.0.1.200:8080, 10.0.1.2:8080"])
        const gone = crowd("10.0.1.2")
          .slice(1)
          .map((each): Change => ({ key: rulesKey(each), rules: undefined }))
        await Effect.runPromise(it.apply(gone))
        assert.equal((await save()).match(/^:KUBE-S(?:VC|EP)-/gmu)?.length, 3)
        const { missing, altered, unexpected } = await Effect.runPromise(
          dataplane().resync(desired(crowd("10.0.1.2")[0]!))
        )
        assert.deepEqual([missing, altered, unexpected], [0, 0, 0])
        await Effect.runPromise(it.cleanup)
      })
    })
  }

  it("waits for the lock that another program holds", {
    skip: findProgram("iptables-legacy") === undefined ? "needs iptables-legacy" : false
  }, async () => {
    const programs = programsOf("legacy")
    const it = make(settings, sysctls(), { ...liveSurroundings(), programs: { IPv4: programs, IPv6: programs } })
    const holder = spawn("flock", ["/run/xtables.lock", "sh", "-c", "echo held; sleep 1"], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    await new Promise((held) => holder.stdout.once("data", held))
    const begun = performance.now()
    await Effect.runPromise(it.resync(desired(service(1, ["10.0.1.1"]))))
    assert.ok(performance.now() - begun > 500)
    await Effect.runPromise(it.cleanup)
  })
})
