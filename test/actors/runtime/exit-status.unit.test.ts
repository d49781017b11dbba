import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, Layer } from "effect"
import {
  maxLogMessageBytes,
  maxLogMessageLines,
  maxMessageBytes,
  observeContainer
} from "../../../src/actors/runtime/exit-status.ts"
import { ContainerRuntime, type ContainerStatus } from "../../../src/adapters/cri/port.ts"
import { makeMemoryHost } from "../../../src/adapters/host/memory.ts"
import { Host } from "../../../src/adapters/host/port.ts"

const messagePath = "/pods/u/containers/app/0"
const logPath = "/logs/app/0.log"
const ended: ContainerStatus = {
  id: "c1",
  metadata: { name: "app", attempt: 0 },
  state: "CONTAINER_EXITED",
  createdAt: "2026-01-01T00:00:00Z",
  startedAt: "2026-01-01T00:00:01Z",
  finishedAt: "2026-01-01T00:00:02Z",
  exitCode: 1,
  image: "i",
  imageRef: "i",
  reason: "Error",
  message: "",
  labels: {},
  annotations: {
    "io.kubernetes.container.terminationMessagePath": "/dev/termination-log",
    "io.kubernetes.container.terminationMessagePolicy": "FallbackToLogsOnError"
  },
  mounts: [{ containerPath: "/dev/termination-log", hostPath: messagePath }],
  logPath
}
const line = (text: string, tag = "F") => `2026-01-01T00:00:01.000000000Z stdout ${tag} ${text}\n`

const messageOf = (status: Partial<ContainerStatus>, files: Readonly<Record<string, string>>): Promise<string> => {
  const host = makeMemoryHost("n")
  for (const [path, text] of Object.entries(files)) host.files.set(path, text)
  return Effect.runPromise(
    Effect.map(observeContainer("c1"), (seen) => ("message" in seen ? (seen.message ?? "") : "")).pipe(
      Effect.provide(
        Layer.mergeAll(
          Layer.succeed(Host, host.service),
          Layer.mock(ContainerRuntime, {
            endpoint: "none",
            containerStatus: () => Effect.succeed({ ...ended, ...status })
          })
        )
      )
    )
  )
}

describe("a container's last words", () => {
  it("are the end of its message file", async () => {
    assert.equal(await messageOf({}, { [messagePath]: "no database", [logPath]: line("log") }), "no database")
    const long = `${"a".repeat(maxMessageBytes)}the end`
    assert.equal(await messageOf({}, { [messagePath]: long }), long.slice(-maxMessageBytes))
  })
  it("stand behind what the runtime itself says", async () => {
    assert.equal(await messageOf({ message: "oom" }, { [messagePath]: "words" }), "oom: words")
    assert.equal(await messageOf({ message: "oom" }, {}), "oom")
  })
  it("are the last lines of its log, where it failed, wrote none, and the policy says so", async () => {
    const log = { [logPath]: line("one") + line("tw", "P") + line("o") }
    assert.equal(await messageOf({}, log), "one\ntwo\n")
    assert.equal(await messageOf({ exitCode: 0 }, log), "")
    assert.equal(await messageOf({ annotations: {} }, log), "")
    const many = Array.from({ length: 200 }, (_, i) => `${i}`)
    assert.equal(
      await messageOf({}, { [logPath]: many.map((text) => line(text)).join("") }),
      `${many.slice(-maxLogMessageLines).join("\n")}\n`
    )
  })
  it("are so many bytes of the log and no more, also of one long line", async () => {
    const text = `${"x".repeat(16_000)}${"é".repeat(1000)}`
    const message = await messageOf({}, { [logPath]: line("before") + line(text) })
    assert.equal(message, `${text}\n`.slice(-1048))
    assert.equal(Buffer.byteLength(message), maxLogMessageBytes)
  })
})
