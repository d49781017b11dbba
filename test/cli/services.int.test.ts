/** What the commands tell of Services, from a journal that nobody runs on: `get`, `why`, `replay`, now and at a time. */
import assert from "node:assert/strict"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { runMain } from "./in-process.ts"
import { serviceStory } from "./service-story.ts"
import { writeJournal } from "./write-journal.ts"

let directory = ""
before(async () => {
  directory = await mkdtemp(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "t-"))
  await writeJournal(join(directory, "data"), serviceStory)
})
after(() => rm(directory, { recursive: true, force: true }))

const run = (...words: ReadonlyArray<string>) => runMain([...words, "--data-dir", join(directory, "data")], {})
/** Times of day are the reader's: T stands for each. */
const withoutTimes = (text: string): string => text.replace(/(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d(?:\.\d{3})?/gu, "T")
/** Cells of a printed table. */
const cells = (out: string) => {
  const [header = "", ...rows] = out.split("\n").filter((line) => line !== "")
  const starts = [...header.matchAll(/(?:^|(?<= {2}))\S/gu)].map(({ index }) => index)
  return rows.map((row) => starts.map((from, i) => row.slice(from, starts[i + 1]).trim()))
}
const told = async (...words: ReadonlyArray<string>) => {
  const { code, out, err } = await run("why", ...words)
  assert.equal(code, 0, err)
  return withoutTimes(out)
}

describe("get services", () => {
  it("tells addresses, ports, endpoints and how it is with each", async () => {
    const { code, out, err } = await run("get", "services", "--no-snapshots", "--at", "e18")
    assert.equal(code, 0, err)
    assert.match(out, /^NAMESPACE +NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +ENDPOINTS +AGE +STATUS$/mu)
    assert.deepEqual(cells(out), [
      [
        ...["default", "api", "ClusterIP", "10.96.0.9,fd00:96::9", "<none>", "80/TCP", "2/2", "38s"],
        "failed: nft: too many elements"
      ],
      [
        ...["default", "other", "<unknown>", "<none>", "<none>", "<none>", "0/0", "55s"],
        "rejected: spec.ports[0].nodePort: node port 30080 is default/web's, which is older"
      ],
      ["default", "quiet", "ClusterIP", "None", "<none>", "<none>", "0/0", "35s", "headless"],
      ["default", "web", "NodePort", "10.96.0.1", "<none>", "80:30080/TCP", "1/1", "59s", "programmed"]
    ])
  })

  it("tells it as it was at any time", async () => {
    const { out } = await run("get", "service", "--no-snapshots", "--at", "e3")
    assert.deepEqual(
      cells(out).map((row) => [row[1], row[6], row[8]]),
      [["web", "1/1", "pending"]]
    )
    const { out: later } = await run("get", "service", "--no-snapshots", "--at", "e9", "-o", "json")
    const web = JSON.parse(later).find(({ name }: { readonly name: string }) => name === "web")
    assert.deepEqual(web.endpoints, { ready: 1, draining: 0, all: 2 })
    assert.deepEqual(web.allotted, ["clusterIPs"])
    assert.equal(web.since, "2026-01-15T09:30:01.000Z")
  })
})

describe("get endpoints", () => {
  it("tells where each stands, how it is, and where it comes from", async () => {
    const { out } = await run("get", "endpoints", "--no-snapshots", "--at", "e10")
    assert.match(out, /^NAMESPACE +SERVICE +PORT +ADDRESS +STATE +NODE +FROM +SINCE$/mu)
    assert.deepEqual(cells(out), [
      ["default", "web", "http/TCP", "10.88.0.2:8080", "ready", "node1", "pod default/web-1", "7s"],
      ["default", "web", "http/TCP", "10.88.0.3:8080", "not ready", "node1", "pod default/web-2", "1s"]
    ])
    const { out: yaml } = await run("get", "endpoints", "--no-snapshots", "-o", "yaml")
    assert.match(yaml, /address: "\[fd00::7\]:8080"/u)
    assert.doesNotMatch(yaml, /10\.88\.0\.3/u, "it is gone")
  })
})

describe("a filter", () => {
  it("chooses what is of a Service: its own events and those of its endpoints", async () => {
    const { out, err } = await run("events", "--from", "journal", "--filter", 'service == "default/api"', "-o", "json")
    const ids = out.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line).id]))
    assert.deepEqual(ids, ["e12", "e13", "e14", "e15"], err)
  })
})

describe("why service", () => {
  it("says by whom it is served, and what the last change came from", async () => {
    const text = await told("service", "default/web")
    assert.match(
      text,
      /^service default\/web: served since T by 1 of 1 endpoint; the last change was in the kernel after 3ms/u
    )
    // Down to the probe.
    assert.match(
      text,
      /ProbeResultChanged[\s\S]*ContainerReadinessChanged[\s\S]*EndpointUnready[\s\S]*ServiceProgrammed/u
    )
    assert.match(text, /removed +10\.88\.0\.3:8080/u)
  })

  it("says why it is not served", async () => {
    assert.match(
      await told("service", "other"),
      /^service default\/other: rejected since T: spec\.ports\[0\]\.nodePort: node port 30080 is default\/web's, which is older \(\/services\/other\.yaml\)\n[\s\S]*held by +default\/web/u
    )
    assert.match(
      await told("service", "default/api"),
      /^service default\/api: its last change is not in the kernel since T: nft: too many elements \(tried 2 times, again at T\)/u
    )
    assert.match(
      await told("service", "quiet"),
      /^service default\/quiet: headless: no cluster IP to put into the kernel/u
    )
  })

  it("is for programs one document", async () => {
    const { out } = await run("why", "service", "default/web", "-o", "json")
    const { event, trigger, steps } = JSON.parse(out)
    assert.deepEqual([event, trigger, steps.length], ["e10", "e9", 4])
  })

  it("says what is wrong with the question", async () => {
    const unknown = await run("why", "service", "default/nobody")
    assert.equal(unknown.code, 1)
    assert.match(unknown.err, /no events of service default\/nobody[\s\S]*chronode get services/u)
    assert.equal((await run("why", "service")).code, 2)
    assert.match((await run("why", "service", "a/b/c")).err, /'a\/b\/c' is no Service/u)
  })
})

describe("why endpoint", () => {
  it("tells its state and the chain down to the probe", async () => {
    const text = await told("endpoint", "10.88.0.3:8080")
    assert.match(
      text,
      /^endpoint 10\.88\.0\.3:8080 of default\/web:http: gone since T \(pod default\/web-2 on node1\)\n/u
    )
    assert.match(text, /ProbeResultChanged[\s\S]*HTTP probe failed with statuscode: 503[\s\S]*EndpointRemoved/u)
  })

  it("tells all Services that stand in front of one address, apart", async () => {
    const text = await told("endpoint", "10.88.0.2")
    assert.deepEqual(
      [...text.matchAll(/^endpoint .* of .*$/gmu)].map(([line]) => line),
      [
        "endpoint 10.88.0.2:8080 of default/api:http: ready since T (slice default/api-2)",
        "endpoint 10.88.0.2:8080 of default/web:http: ready since T (pod default/web-1 on node1)"
      ]
    )
    const { out } = await run("why", "endpoint", "10.88.0.2:8080", "-o", "json")
    assert.equal(JSON.parse(out).length, 2)
  })

  it("takes IPv6 addresses in any form", async () => {
    const { out } = await run("why", "endpoint", "[FD00:0:0::7]:8080", "-o", "json")
    assert.match(JSON.parse(out)[0].answer, /^endpoint \[fd00::7\]:8080 of default\/api:http: ready since/u)
    assert.equal((await run("why", "endpoint", "fd00::7")).code, 0)
  })

  it("says what is wrong with the question", async () => {
    assert.match((await run("why", "endpoint", "10.88.0.99:1")).err, /no events of endpoint 10\.88\.0\.99:1/u)
    for (const wrong of ["web:80", "10.0.0.300:80", "10.0.0.1:99999"]) {
      const { code, err } = await run("why", "endpoint", wrong)
      assert.equal(code, 2)
      assert.match(err, /is no address; write IP:PORT/u)
    }
  })
})
