/** Health, metrics and health checks as clients see them: real requests, on this runtime's own HTTP server. */
import assert from "node:assert/strict"
import { request } from "node:http"
import { connect, createServer } from "node:net"
import process from "node:process"
import { describe, it } from "node:test"
import { Effect, Option, type Scope, Stream } from "effect"
import { freePort } from "../../../scripts/lab/free-port.ts"
import { make, type TelemetryOptions } from "../../../src/adapters/http/live.ts"
import { make as makeMemory } from "../../../src/adapters/http/memory.ts"
import type { HealthPort, ListenerState, ProxyTelemetry } from "../../../src/adapters/http/port.ts"

type Telemetry = ProxyTelemetry["Service"]

interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly body: string
}

const get = (port: number, path: string, method = "GET", host = "127.0.0.1"): Promise<Got> =>
  new Promise((resolve, reject) => {
    const sent = request({ host, port, path, method, agent: false }, (response) => {
      let body = ""
      response.setEncoding("utf8")
      response.on("data", (part: string) => {
        body += part
      })
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    sent.on("error", reject)
    sent.end()
  })

/** What a client gets that sends `bytes` and waits; the answer's first line, or nothing where it is closed at once. */
const send = (port: number, bytes: string): Promise<string> =>
  new Promise((resolve) => {
    let answer = ""
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes))
    socket.on("data", (part) => {
      answer += String(part)
    })
    socket.on("error", () => socket.destroy())
    socket.on("close", () => resolve(answer.split("\r\n")[0] as string))
    setTimeout(() => socket.destroy(), 3000)
  })

const run = <A>(effect: Effect.Effect<A, unknown, Scope.Scope>): Promise<A> =>
  Effect.runPromise(Effect.scoped(effect) as Effect.Effect<A>)

const options = (more: Partial<TelemetryOptions> = {}): TelemetryOptions => ({
  mode: "nftables",
  families: ["IPv4", "IPv6"],
  patience: { nftables: 60_000, ipvs: 60_000, iptables: 60_000 },
  healthzBindAddress: undefined,
  metricsBindAddress: undefined,
  build: { version: "0", runtime: "test" },
  ...more
})

/** The first state of all servers for which `isIt`. */
const listenersWhen = (
  telemetry: Telemetry,
  isIt: (states: ReadonlyArray<ListenerState>) => boolean
): Effect.Effect<ReadonlyArray<ListenerState>> =>
  Effect.map(Stream.runHead(Stream.filter(telemetry.listeners, isIt)), Option.getOrThrow)

const areUp = (count: number) => (states: ReadonlyArray<ListenerState>) =>
  states.filter(({ failure }) => failure === undefined).length === count

const check = (name: string, port: number, localEndpoints: number): HealthPort => ({
  namespace: "shop",
  name,
  port,
  localEndpoints
})

const implementations = {
  live: make(options()),
  "in memory": Effect.map(makeMemory, ({ service }) => service)
}

for (const [name, open] of Object.entries(implementations)) {
  describe(`the proxy's telemetry ${name}`, () => {
    it("is healthy until something waits, and again when nothing does", () =>
      run(
        Effect.gen(function* () {
          const telemetry = yield* open
          assert.equal(telemetry.healthy(), true)
          telemetry.queued({ services: 1, endpoints: 0 })
          telemetry.pending({ services: 1, endpoints: 0 })
          telemetry.synced({ full: true, milliseconds: 1 })
          telemetry.pending({ services: 0, endpoints: 0 })
          assert.equal(telemetry.healthy(), true)
        })
      ))

    it("tells the servers of all health checks, and of none when none are wanted", async () => {
      const port = await freePort()
      await run(
        Effect.gen(function* () {
          const telemetry = yield* open
          yield* telemetry.healthPorts([check("web", port, 1)])
          const [state] = yield* listenersWhen(telemetry, areUp(1))
          assert.deepEqual(state, { server: "health-check", address: `0.0.0.0:${port}`, service: "shop/web" })
          yield* telemetry.healthPorts([])
          yield* listenersWhen(telemetry, (states) => states.length === 0)
        })
      )
    })
  })
}

describe("the proxy over HTTP", () => {
  it("answers health, liveness, mode and metrics, and 503 when a change waits too long", async () => {
    const [healthz, metrics] = [await freePort(), await freePort()]
    await run(
      Effect.gen(function* () {
        const telemetry = yield* make(
          options({
            patience: { nftables: 0, ipvs: 60_000, iptables: 60_000 },
            healthzBindAddress: `0.0.0.0:${healthz}`,
            metricsBindAddress: `127.0.0.1:${metrics}`
          })
        )
        yield* listenersWhen(telemetry, areUp(2))
        const asked = (port: number, path: string, method?: string) => Effect.promise(() => get(port, path, method))

        const first = yield* asked(healthz, "/healthz")
        assert.equal(first.status, 200)
        assert.equal(first.headers["content-type"], "application/json")
        assert.equal(first.headers["x-content-type-options"], "nosniff")
        assert.equal(JSON.parse(first.body).nodeEligible, true)
        telemetry.queued({ services: 1, endpoints: 3 })
        telemetry.pending({ services: 1, endpoints: 3 })
        const late = yield* asked(healthz, "/livez")
        assert.equal(late.status, 503)
        assert.equal(JSON.parse(late.body).healthy, false)
        telemetry.inMode("ipvs")
        assert.equal((yield* asked(healthz, "/livez")).status, 200)
        assert.equal((yield* asked(healthz, "/proxyMode")).body, "ipvs")
        telemetry.inMode("nftables")
        telemetry.pending({ services: 0, endpoints: 0 })
        telemetry.synced({ full: false, milliseconds: 3 })
        telemetry.programmed(700)
        telemetry.syncFailed({ full: false })
        telemetry.flowsReconciled({ milliseconds: 1, removed: 2 })
        telemetry.withoutLocalServers({ internal: 1, external: 2 })
        assert.equal((yield* asked(healthz, "/healthz?verbose")).status, 200)

        assert.equal((yield* asked(healthz, "/metrics")).status, 404)
        assert.equal((yield* asked(healthz, "/healthz", "POST")).status, 405)
        assert.equal((yield* asked(healthz, "/healthz", "HEAD")).body, "")
        assert.deepEqual((yield* asked(metrics, "/healthz")).body, "ok")
        assert.equal((yield* asked(metrics, "/proxyMode")).body, "nftables")
        const { headers, body } = yield* asked(metrics, "/metrics")
        assert.equal(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
        for (const line of [
          'kubeproxy_sync_proxy_rules_duration_seconds_bucket{ip_family="IPv4",le="0.002"} 0',
          'kubeproxy_sync_proxy_rules_duration_seconds_bucket{ip_family="IPv4",le="0.004"} 1',
          'kubeproxy_sync_partial_proxy_rules_duration_seconds_count{ip_family="IPv6"} 1',
          'kubeproxy_sync_full_proxy_rules_duration_seconds_count{ip_family="IPv4"} 0',
          'kubeproxy_network_programming_duration_seconds_bucket{ip_family="IPv4",le="1"} 1',
          'kubeproxy_sync_proxy_rules_service_changes_total{ip_family="IPv4"} 1',
          'kubeproxy_sync_proxy_rules_endpoint_changes_total{ip_family="IPv4"} 3',
          'kubeproxy_sync_proxy_rules_endpoint_changes_pending{ip_family="IPv4"} 0',
          'kubeproxy_sync_proxy_rules_no_local_endpoints_total{ip_family="IPv4",traffic_policy="external"} 2',
          'kubeproxy_sync_proxy_rules_nftables_sync_failures_total{ip_family="IPv4"} 1',
          'kubeproxy_conntrack_reconciler_deleted_entries_total{ip_family="IPv4"} 2',
          'kubeproxy_proxy_healthz_total{code="200"} 3',
          'kubeproxy_proxy_livez_total{code="503"} 1',
          'chronode_build_info{version="0",runtime="test"} 1'
        ])
          assert.ok(body.includes(`${line}\n`), `no ${line} in\n${body}`)
        const [, lastSync = ""] = /_last_timestamp_seconds\{ip_family="IPv4"\} (\S+)/u.exec(body) ?? []
        assert.ok(Math.abs(Number(lastSync) - Date.now() / 1000) < 60)
      })
    )
    await assert.rejects(get(healthz, "/healthz"), "it is closed with its scope")
  })

  it("stands clients that send nonsense, too much or nothing", async () => {
    const port = await freePort()
    await run(
      Effect.gen(function* () {
        const telemetry = yield* make(options({ healthzBindAddress: `127.0.0.1:${port}` }))
        yield* listenersWhen(telemetry, areUp(1))
        const said = (bytes: string) => Effect.promise(() => send(port, bytes))
        const good = "GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        assert.match(yield* said(good), / 200 /u)
        const huge = `GET /livez HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(64 * 1024)}\r\n\r\n`
        const nonsense = "\u0016\u0003\u0001 what?\r\n\r\n"
        for (const bytes of [huge, nonsense]) assert.doesNotMatch(yield* said(bytes), / 200 /u)
        // More idle clients than are let in: others are served all the same once these are gone.
        const idle = Array.from({ length: 80 }, () => connect(port, "127.0.0.1").on("error", () => undefined))
        yield* Effect.sleep("200 millis")
        for (const socket of idle) socket.destroy()
        yield* Effect.sleep("100 millis")
        assert.match(yield* said(good), / 200 /u)
      })
    )
  })

  it("says who is in its way where a port is taken, and takes it when it is free", async () => {
    const port = await freePort()
    const other = createServer()
    await new Promise<void>((resolve) => {
      other.listen(port, "127.0.0.1", resolve)
    })
    await run(
      Effect.gen(function* () {
        const telemetry = yield* make(options({ metricsBindAddress: `127.0.0.1:${port}`, retryMillis: 100 }))
        const [state] = yield* listenersWhen(telemetry, (states) => states.some(({ failure }) => failure !== undefined))
        assert.equal(state?.server, "metrics")
        assert.equal(state?.failure?.message, `127.0.0.1:${port} is in use by another program`)
        assert.match(state?.failure?.remedy ?? "", /ss -ltnp.*metricsBindAddress/u)
        yield* Effect.promise(
          () =>
            new Promise<void>((resolve) => {
              other.close(() => resolve())
            })
        )
        yield* listenersWhen(telemetry, areUp(1))
        assert.equal((yield* Effect.promise(() => get(port, "/healthz"))).body, "ok")
      })
    )
  })

  it("answers the health check of each Service for its load balancer, on both families", async () => {
    const [a, b] = [await freePort(), await freePort()]
    await run(
      Effect.gen(function* () {
        const telemetry = yield* make(options({ patience: { nftables: 0, ipvs: 60_000, iptables: 60_000 } }))
        yield* telemetry.healthPorts([check("web", a, 2), check("empty", b, 0)])
        yield* listenersWhen(telemetry, areUp(2))
        const asked = (port: number, host?: string) => Effect.promise(() => get(port, "/", "GET", host))

        const web = yield* asked(a)
        assert.equal(web.status, 200)
        assert.equal(web.headers["x-load-balancing-endpoint-weight"], "2")
        assert.deepEqual(JSON.parse(web.body), {
          service: { namespace: "shop", name: "web" },
          localEndpoints: 2,
          serviceProxyHealthy: true
        })
        assert.equal((yield* asked(b)).status, 503)
        if (yield* hasIpv6) assert.equal((yield* asked(a, "::1")).status, 200)

        telemetry.queued({ services: 1, endpoints: 0 })
        const unhealthy = yield* asked(a)
        assert.equal(unhealthy.status, 503)
        assert.equal(JSON.parse(unhealthy.body).serviceProxyHealthy, false)
        telemetry.synced({ full: true, milliseconds: 1 })

        // One Service is gone and another has its port; counts are taken over without a new server.
        yield* telemetry.healthPorts([check("other", b, 1), check("web", a, 3)])
        const states = yield* listenersWhen(telemetry, (all) => all.some(({ service }) => service === "shop/other"))
        assert.deepEqual(states.map(({ service }) => service).toSorted(), ["shop/other", "shop/web"])
        assert.equal((yield* asked(b)).status, 200)
        assert.equal(JSON.parse((yield* asked(a)).body).localEndpoints, 3)
        yield* telemetry.healthPorts([])
        yield* Effect.promise(() => assert.rejects(get(a, "/")))
      })
    )
  })

  it("opens and closes many health checks, each of its own Service", async () => {
    // Below the ports that the kernel gives away, and not the same as in another process of this test.
    const first = 20_000 + (process.pid % 50) * 200
    const ports = Array.from({ length: 100 }, (_, i) => check(`s${i}`, first + i, 1))
    await run(
      Effect.gen(function* () {
        const telemetry = yield* make(options())
        yield* telemetry.healthPorts(ports, ["127.0.0.1"])
        yield* listenersWhen(telemetry, areUp(ports.length))
        for (const { name, port } of [ports[0], ports[99]] as ReadonlyArray<HealthPort>) {
          const { body } = yield* Effect.promise(() => get(port, "/"))
          assert.equal(JSON.parse(body).service.name, name)
        }
        yield* telemetry.healthPorts(ports.slice(0, 1), ["127.0.0.1"])
        yield* Effect.promise(() => assert.rejects(get(first + 1, "/")))
        assert.equal((yield* Effect.promise(() => get(first, "/"))).status, 200)
      })
    )
  })
})

const hasIpv6 = Effect.promise(
  () =>
    new Promise<boolean>((resolve) => {
      const server = createServer()
      server.on("error", () => {
        console.log("skipped: this machine has no IPv6 loopback")
        resolve(false)
      })
      server.listen(0, "::1", () => server.close(() => resolve(true)))
    })
)
