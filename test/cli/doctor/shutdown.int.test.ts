/** What doctor says of logind, where the configuration wants a graceful shutdown. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { Effect } from "effect"
import { LogindError, type LogindShape } from "../../../src/adapters/logind/port.ts"
import { checkShutdown } from "../../../src/cli/doctor/shutdown.ts"

const dir = mkdtempSync(join(tmpdir(), "chronode-doctor-"))
after(() => rmSync(dir, { recursive: true, force: true }))

const configuration = (fields: string): string => {
  const file = join(dir, "config.yaml")
  writeFileSync(file, `apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n${fields}`)
  return file
}
const check = (file: string | undefined, inhibit: LogindShape["inhibit"]) =>
  Effect.runPromise(checkShutdown({ probeLogind: async () => inhibit }, file))

describe("doctor, of a graceful shutdown", () => {
  it("asks nobody where none is wanted", async () => {
    const never = Effect.die("asked")
    assert.deepEqual(await check(undefined, never), [])
    assert.deepEqual(await check(configuration(""), never), [])
  })

  it("says when logind would not wait for long enough, and what to write", async () => {
    const file = configuration("shutdownGracePeriod: 30s\nshutdownGracePeriodCriticalPods: 10s\n")
    const [short] = await check(file, Effect.succeed(5_000))
    assert.equal(short?.status, "warn")
    assert.match(short?.mend ?? "", /InhibitDelayMaxSec=30/u)
    assert.equal((await check(file, Effect.succeed(30_000)))[0]?.status, "ok")
    const away = Effect.fail(
      new LogindError({ reason: "Unavailable", call: "connect", message: "there is no system bus" })
    )
    assert.match((await check(file, away))[0]?.found ?? "", /there is no system bus/u)
  })
})
