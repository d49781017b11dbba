/** The node's HTTP API as docs/api.md shows it: curl with a client's certificate, against an agent on a real containerd. */
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { freePort } from "../../scripts/lab/free-port.ts"
import { type Authority, makeAuthority } from "../adapters/api/authorities.ts"
import { eventually, type NodeUnderTest } from "../support/agent.ts"
import { findProgram } from "../support/requires.ts"
import { container, pod, webServer } from "./manifests.ts"
import { startWorld, type World, whyNotHere, within } from "./world.ts"

const noCurl = findProgram("curl") === undefined ? "needs curl" : undefined
const whyNot = whyNotHere() ?? noCurl
const curlable = (seconds: number) => ({ ...within(seconds), ...(whyNot === undefined ? {} : { skip: whyNot }) })

const secret = "hunter2-hunter2"
const lines = "for i in 1 2 3; do echo line $i; echo wrong $i >&2; done"

interface ApiPod {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly uid: string }
  readonly spec: { readonly nodeName: string; readonly containers: ReadonlyArray<{ readonly name: string }> }
  readonly status: {
    readonly phase: string
    readonly podIP?: string
    readonly conditions?: ReadonlyArray<{ readonly type: string; readonly status: string }>
    readonly containerStatuses?: ReadonlyArray<{
      readonly name: string
      readonly ready: boolean
      readonly state: { readonly running?: { readonly startedAt: string } }
    }>
  }
}

describe("the node's API by curl", { concurrency: false }, () => {
  let world: World
  let node: NodeUnderTest
  let authority: Authority
  let port: number
  let healthz: number
  const file = (name: string) => join(world.dir, "files", name)

  /** `curl WORDS`: what it printed, with the status as the last line. */
  const curl = (...words: ReadonlyArray<string>): Promise<{ readonly status: number; readonly body: string }> =>
    new Promise((done) => {
      const all = ["-sS", "-m", "20", "-w", "\n%{http_code}", ...words]
      execFile("curl", all, { maxBuffer: 16 * 1024 * 1024 }, (_, stdout, stderr) => {
        const end = stdout.lastIndexOf("\n")
        done({ status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) || stderr })
      })
    })
  const as = (user: string): ReadonlyArray<string> => [
    ...["--cacert", join(node.dataDir, "pki", "api.pem")],
    ...["--cert", file(`${user}.crt`), "--key", file(`${user}.key`)]
  ]
  const get = (path: string, ...more: ReadonlyArray<string>) =>
    curl(...as("admin"), ...more, `https://127.0.0.1:${port}${path}`)
  const pods = async (path: string) =>
    (JSON.parse((await get(path)).body) as { readonly items: ReadonlyArray<ApiPod> }).items
  const logs = async (path: string, ...more: ReadonlyArray<string>) =>
    (await get(`/containerLogs/default/${path}`, ...more)).body

  before(async () => {
    if (whyNot !== undefined) return
    world = await startWorld()
    mkdirSync(join(world.dir, "files"))
    authority = await makeAuthority("cluster")
    writeFileSync(file("ca.crt"), authority.cert)
    for (const [name, subject] of [
      ["admin", "CN=admin, O=system:masters"],
      ["guest", "CN=guest"]
    ] as const) {
      const issued = await authority.issue(subject)
      writeFileSync(file(`${name}.crt`), issued.cert)
      writeFileSync(file(`${name}.key`), issued.key)
    }
    ;[port, healthz] = [await freePort(), await freePort()]
    node = world.node("node-api", {
      configuration: {
        enableServer: true,
        port,
        healthzPort: healthz,
        authentication: { x509: { clientCAFile: file("ca.crt") } }
      }
    })
    const env = [{ name: "PASSWORD", value: secret }]
    node.put("web.json", pod("web", { containers: [container("app", webServer, { env })] }))
    node.put(
      "talk.json",
      pod("talk", { restartPolicy: "Never", containers: [container("app", `${lines}; sleep 3; echo end`)] })
    )
    await node.start()
    await eventually("the API answers", async () => ((await get("/healthz")).status === 200 ? true : undefined))
    await eventually("web is up", async () =>
      (await pods("/pods")).find(({ metadata, status }) => metadata.name === "web" && status.phase === "Running")
    )
  })

  after(async () => world?.close(), { timeout: 60_000 })

  it("lists pods in the API's shape, without values of variables", curlable(60), async () => {
    const [web] = (await pods("/pods")).filter(({ metadata }) => metadata.name === "web")
    assert.equal(web?.spec.nodeName, "node-api")
    assert.match(web?.status.podIP ?? "", /^\d+\./u)
    assert.ok(web?.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True"))
    const [app] = web?.status.containerStatuses ?? []
    assert.ok(app?.ready === true && /^\d{4}-.*:\d\dZ$/u.test(app.state.running?.startedAt ?? ""))
    assert.ok(!(await get("/pods")).body.includes(secret))
    const running = await pods("/runningpods/")
    assert.deepEqual(
      running.find(({ metadata }) => metadata.name === "web")?.spec.containers.map(({ name }) => name),
      ["app"]
    )
  })

  it("gives out logs as kubelet does", curlable(60), async () => {
    // Goes on until the container ends.
    const whole = await logs("talk/app?follow=true&stream=Stdout")
    assert.equal(whole, "line 1\nline 2\nline 3\nend\n")
    assert.equal(await logs("talk/app?tailLines=1"), "end\n")
    assert.equal(await logs("talk/app?limitBytes=6&stream=Stderr"), "wrong ")
    assert.match(await logs("talk/app?timestamps=true&tailLines=1"), /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{9}\S+ end\n$/u)
    const answers: ReadonlyArray<readonly [string, number, string]> = [
      ["talk/app?previous=true", 400, 'previous terminated container "app" in pod "talk" not found'],
      ["talk/other", 404, 'container "other" not found in pod "talk"'],
      ["nobody/app", 404, 'pod "nobody" does not exist'],
      ["talk/app?tailLines=x", 400, '{"message": "Unable to decode query."}'],
      ["talk/app?tailLines=-1", 422, '{"message": "Invalid request."}']
    ]
    for (const [path, status, body] of answers)
      assert.deepEqual(await get(`/containerLogs/default/${path}`), { status, body }, path)
  })

  it("tells figures, settings and health, to those who may", curlable(60), async () => {
    const summary = JSON.parse((await get("/stats/summary")).body) as { readonly node: { readonly nodeName: string } }
    assert.equal(summary.node.nodeName, "node-api")
    assert.match((await get("/metrics")).body, /^kubelet_running_pods /mu)
    const { kubeletconfig } = JSON.parse((await get("/configz")).body) as {
      readonly kubeletconfig: { readonly port: number }
    }
    assert.equal(kubeletconfig.port, port)
    assert.match((await get("/statusz")).body, /Paths: .*\/containerLogs .*\/pods/u)
    assert.match((await get("/flagz")).body, /node-name=node-api/u)
    assert.match((await get("/logs/")).body, /<pre>/u)
    assert.deepEqual(await curl(`http://127.0.0.1:${healthz}/healthz`), { status: 200, body: "ok" })
    assert.deepEqual(await get("/pods", "-X", "DELETE"), { status: 405, body: "Method Not Allowed" })
    assert.equal((await get("/debug/pprof/")).status, 404)
    const url = `https://127.0.0.1:${port}/pods`
    assert.deepEqual(await curl("-k", url), { status: 401, body: "Unauthorized" })
    assert.equal((await curl(...as("guest"), url)).status, 403)
    // The command line's socket needs no name.
    const local = ["--unix-socket", join(node.dataDir, "chronode.sock"), "http://localhost/healthz/syncloop"]
    assert.deepEqual(await curl(...local), { status: 200, body: "ok" })
    const told = (await node.journal.events()).filter(
      ({ tag }) => tag === "ApiListening" || tag === "ApiRequestRefused"
    )
    assert.ok(told.length >= 4)
    assert.ok(!readFileSync(node.logFile, "utf8").includes(secret))
  })
})
