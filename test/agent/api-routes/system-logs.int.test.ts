/** Files of the log directory through the API, and nothing beside them. */
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe } from "node:test"
import { Effect } from "effect"
import { systemLogRoutes } from "../../../src/agent/api-routes/system-logs.ts"
import { ask } from "../../adapters/api/clients.ts"
import { startServer } from "../../adapters/api/running.ts"
import { liveTest } from "../../support/effect.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

describe("the node's log files", () => {
  liveTest(
    "are given out and listed; links that lead out, devices and pipes are not there",
    Effect.gen(function* () {
      const top = yield* temporaryDirectory
      const logs = join(top, "log")
      mkdirSync(join(logs, "pods"), { recursive: true })
      writeFileSync(join(top, "secret"), "secret")
      writeFileSync(join(logs, "syslog"), "line\n".repeat(50_000))
      writeFileSync(join(logs, "pods", "a<b>.log"), "a")
      writeFileSync(join(logs, "empty"), "")
      symlinkSync("pods/a<b>.log", join(logs, "inside"))
      symlinkSync("../secret", join(logs, "outside"))
      symlinkSync("/", join(logs, "root"))
      execFileSync("mkfifo", [join(logs, "pipe")])
      const { socket } = yield* startServer({ routes: systemLogRoutes(logs) })
      const get = (path: string) => Effect.promise(() => ask({ socketPath: socket, path }))
      assert.equal((yield* get("/logs/syslog")).body.length, 250_000)
      assert.equal((yield* get("/logs/empty")).body, "")
      assert.equal((yield* get("/logs/inside")).body, "a")
      const listed = (yield* get("/logs/")).body
      assert.match(listed, /<a href="pods\/">pods\/<\/a>\n.*<a href="root">/su)
      assert.match((yield* get("/logs/pods")).body, /<a href="a%3Cb%3E.log">a&#60;b&#62;\.log<\/a>/u)
      for (const path of ["outside", "root", "root/etc/passwd", "pipe", "nothing", "syslog/x"])
        assert.equal((yield* get(`/logs/${path}`)).status, 404, path)
      for (const path of ["../secret", "%2e%2e/secret", "..%2fsecret", "pods/..%2f..%2fsecret"])
        assert.equal((yield* get(`/logs/${path}`)).status, 400, path)
    })
  )
})
