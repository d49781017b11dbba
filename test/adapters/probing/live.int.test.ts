/** Against real servers on this machine; the container runtime alone is a stand-in (its calls are cri's to test). */
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import * as http from "node:http"
import * as https from "node:https"
import { type AddressInfo, createServer, type Server } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, it } from "node:test"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ContainerRuntime, CriError } from "../../../src/adapters/cri/port.ts"
import { askExec, judgeExec, judgeExecError } from "../../../src/adapters/probing/exec.ts"
import { askHttp } from "../../../src/adapters/probing/http.ts"
import { formatUrl, headerMap } from "../../../src/adapters/probing/http-request.ts"
import { make } from "../../../src/adapters/probing/live.ts"
import { itMeets, type Table, tables } from "../../support/cases.ts"
import { healthServer } from "./health-server.ts"
import { proberContract } from "./prober-contract.ts"

const listening = <S extends Server | http.Server>(server: S) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly server: S; readonly port: number }>((resume) => {
      server.listen(0, "127.0.0.1", () =>
        resume(Effect.succeed({ server, port: (server.address() as AddressInfo).port }))
      )
    }),
    () =>
      Effect.callback<void>((resume) => {
        if ("closeAllConnections" in server) server.closeAllConnections()
        server.close(() => resume(Effect.void))
      })
  )

/** Commands of the stand-in: `exit N`, `sleep`, `print N`, anything else is the runtime's failure. */
const runtime = {
  execSync: (_: string, [command, argument]: ReadonlyArray<string>, timeoutSeconds: number) => {
    const answer = (stdout: string, exitCode: number) =>
      Effect.succeed({ stdout: new TextEncoder().encode(stdout), stderr: new Uint8Array(), exitCode })
    const fail = (reason: CriError["reason"]) =>
      Effect.fail(new CriError({ reason, call: "ExecSync", message: reason }))
    if (command === "exit") return answer("", Number(argument))
    if (command === "print") return answer("x".repeat(Number(argument)), 0)
    if (command === "sleep") return Effect.andThen(Effect.sleep(timeoutSeconds * 1000), fail("DeadlineExceeded"))
    return fail("Unavailable")
  }
} as unknown as (typeof ContainerRuntime)["Service"]

proberContract(
  "the live prober",
  Effect.gen(function* () {
    const prober = yield* Effect.provideService(make, ContainerRuntime, runtime)
    const { port: web } = yield* listening(
      http.createServer((request, response) => {
        if (request.url === "/silent") return
        response.statusCode = request.url === "/bad" ? 503 : 200
        response.end(request.url === "/long" ? "é".repeat(100_000) : "fine")
      })
    )
    const held = new Set<{ destroy: () => void }>()
    const { port: open } = yield* listening(createServer((socket) => held.add(socket)))
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const socket of held) socket.destroy()
      })
    )
    const { port: closed, server } = yield* listening(createServer())
    server.close()
    const health = yield* healthServer()
    const grpc = (service: string, port = health.port) =>
      ({ kind: "grpc", host: "127.0.0.1", port, service, timeoutSeconds: 1 }) as const
    const get = (path: string) =>
      ({ kind: "httpGet", scheme: "HTTP", host: "127.0.0.1", port: web, path, headers: [], timeoutSeconds: 1 }) as const
    const run = (...command: ReadonlyArray<string>) =>
      ({ kind: "exec", containerId: "c", command, timeoutSeconds: 1 }) as const
    return {
      prober,
      good: [
        get("/"),
        { kind: "tcpSocket", host: "127.0.0.1", port: open, timeoutSeconds: 1 },
        grpc(""),
        run("exit", "0")
      ],
      bad: [
        get("/bad"),
        { kind: "tcpSocket", host: "127.0.0.1", port: closed, timeoutSeconds: 1 },
        { ...get("/"), port: closed },
        grpc("resting"),
        run("exit", "3")
      ],
      silent: [get("/silent"), grpc("silent"), grpc("", open), grpc("", closed), run("sleep")],
      unaskable: [run("broken"), { ...get("/"), headers: [{ name: "a", value: "b\r\nc" }] }],
      talkative: [get("/long"), run("print", "20000")]
    }
  })
)

interface Recorded {
  readonly headers: Readonly<Record<string, ReadonlyArray<string>>>
  readonly host: string | undefined
}
const recorded = (request: http.IncomingMessage): Recorded => {
  const headers: Record<string, Array<string>> = {}
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i]!.toLowerCase()
    if (name !== "host") headers[name] = [...(headers[name] ?? []), request.rawHeaders[i + 1]!]
  }
  return { headers, host: request.headers.host }
}
const lowerKeys = (headers: Readonly<Record<string, ReadonlyArray<string>>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, values]) => [name.toLowerCase(), values]))

const ask = (port: number, path: string, headers: ReadonlyArray<{ name: string; value: string }> = []) =>
  askHttp({ kind: "httpGet", scheme: "HTTP", host: "127.0.0.1", port, path, headers, timeoutSeconds: 1 })

describe("an HTTP probe", () => {
  const [checker] = tables("probe-http.json", "TestHTTPProbeChecker") as [Table]
  for (const row of checker.rows) {
    // The server of case 20 answers after the timeout, which its row does not say.
    const isLate = row.in.responses === "none before the timeout" || row.name === "case 20"
    it(`does as upstream's TestHTTPProbeChecker ${row.name}`, { timeout: 60_000 }, () =>
      Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const seen: Array<Recorded> = []
            const { port } = yield* listening(
              http.createServer((request, response) => {
                seen.push(recorded(request))
                if (isLate) return
                const answer = row.in.responses.find((r: { readonly path: string }) => r.path === request.url)
                response.statusCode = answer?.status ?? 404
                if (answer?.location != null) response.setHeader("Location", answer.location)
                response.end(answer?.body ?? "")
              })
            )
            const given = Object.entries((row.in.headers ?? {}) as Record<string, ReadonlyArray<string>>)
            const outcome = yield* ask(
              port,
              "",
              given.flatMap(([name, values]) => values.map((value) => ({ name, value })))
            )
            assert.equal(outcome.result, row.want.result)
            if (row.want.output !== null) assert.equal(outcome.output, row.want.output)
            if (row.want.sentHeaders === null) return
            const want = JSON.parse(JSON.stringify(row.want.sentHeaders).replace("kube-probe/.", "kube-probe/1.36"))
            assert.deepEqual(seen[0]?.headers, lowerKeys(want))
            assert.equal(seen[0]?.host, row.want.sentHost.replace("$server", `127.0.0.1:${port}`))
          })
        )
      )
    )
  }

  const [redirects] = tables("probe-http.json", "TestHTTPProbeChecker_NonLocalRedirects") as [Table]
  for (const row of redirects.rows) {
    it(`does as upstream's NonLocalRedirects ${row.name}`, { timeout: 60_000 }, () =>
      Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const { port } = yield* listening(
              http.createServer((request, response) => {
                const path = request.url ?? ""
                if (path === "/success" || path === "/fail") response.statusCode = path === "/fail" ? 500 : 200
                else {
                  response.statusCode = 302
                  const target = path === "/loop" ? "/loop" : row.in.redirect
                  response.setHeader("Location", target.replace("$server", `127.0.0.1:${port}`))
                }
                response.end()
              })
            )
            assert.equal((yield* ask(port, "/redirect")).result, row.want.notFollowed)
          })
        )
      )
    )
  }

  it("does not check certificates", { timeout: 60_000 }, () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const folder = mkdtempSync(join(tmpdir(), "chronode-tls-"))
          yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
          const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")]
          const make = [
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "1"
          ]
          execFileSync("openssl", [...make, "-subj", "/CN=elsewhere", "-keyout", key, "-out", cert], {
            stdio: "ignore"
          })
          const { port } = yield* listening(
            https.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) =>
              response.end("tls")
            )
          )
          const question = {
            kind: "httpGet",
            scheme: "HTTPS",
            host: "127.0.0.1",
            port,
            path: "/",
            headers: [],
            timeoutSeconds: 5
          } as const
          assert.deepEqual(yield* askHttp(question), { result: "success", output: "tls", timedOut: false })
        })
      )
    )
  )

  it("reads ten kilobytes of an endless answer and hangs up", { timeout: 60_000 }, () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          let isClosed = false
          const { port } = yield* listening(
            http.createServer((_, response) => {
              const more = setInterval(() => response.write("x".repeat(4096)), 1)
              response.on("close", () => {
                clearInterval(more)
                isClosed = true
              })
            })
          )
          const outcome = yield* ask(port, "/")
          assert.equal(outcome.result, "success")
          assert.equal(outcome.output.length, 10 * 1024)
          while (!isClosed) yield* Effect.sleep(10)
        })
      )
    )
  )
})

describe("the request of an HTTP probe", () => {
  itMeets(
    "probe-http.json",
    "TestFormatURL",
    "has the URL that upstream builds",
    ({ in: { scheme, host, port, path }, want }) => {
      assert.equal(formatUrl(scheme, host, port, path), want.url)
      return undefined
    }
  )
  itMeets(
    "probe-http.json",
    "Test_v1HeaderToHTTPHeader",
    "has the headers that upstream builds",
    ({ in: input, want }) => {
      assert.deepEqual(Object.fromEntries(headerMap(input.headers)), want.headers)
      return undefined
    }
  )
  it("puts IPv6 addresses into brackets", () => {
    assert.equal(formatUrl("HTTP", "fd00::1", 80, "/x"), "http://[fd00::1]:80/x")
  })
})

describe("an exec probe", () => {
  itMeets("probe-http.json", "TestExec", "judges as upstream does", ({ in: { commandOutput, commandError }, want }) => {
    // The row does not tell the code of its exit error: 0 where it is a success all the same.
    const exitCode = commandError === "fake exit" && want.result !== "success" ? 1 : 0
    const outcome =
      commandError === null || commandError === "fake exit"
        ? judgeExec(commandOutput, exitCode)
        : judgeExecError(
            new CriError({
              reason: commandError.includes("timed out") ? "DeadlineExceeded" : "Failed",
              call: "ExecSync",
              message: commandError
            }),
            1
          )
    assert.equal(outcome.result, want.result === "unknown" ? "error" : want.result)
    assert.equal(outcome.result === "error", want.expectError)
    if (commandError?.includes("timed out")) return undefined
    if (want.result === "success") assert.equal(outcome.output, want.output)
    return undefined
  })

  const ask = (version: Effect.Effect<unknown, CriError>) => {
    const silent = { execSync: () => Effect.never, version } as unknown as (typeof ContainerRuntime)["Service"]
    return Effect.gen(function* () {
      const asked = yield* Effect.forkChild(
        askExec(silent, { kind: "exec", containerId: "c", command: ["true"], timeoutSeconds: 3 })
      )
      yield* TestClock.adjust("30 seconds")
      const { result, timedOut, output } = yield* Fiber.join(asked)
      return [result, timedOut, output]
    }).pipe(Effect.provide(TestClock.layer()), Effect.runPromise)
  }
  it("that the runtime does not end in time has failed where the runtime answers other calls", async () => {
    assert.deepEqual(await ask(Effect.succeed({})), ["failure", true, "no answer within 3 s"])
  })
  it("says nothing of the container where the runtime answers nothing at all", async () => {
    const dead = Effect.fail(new CriError({ reason: "Unavailable", call: "Version", message: "nobody listens" }))
    assert.deepEqual(await ask(Effect.never), ["error", false, "the container runtime does not answer"])
    assert.deepEqual(await ask(dead), ["error", false, "nobody listens"])
  })
})
