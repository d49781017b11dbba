/** What the records of a log look like when they are printed. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { LogRecord } from "../../../src/adapters/logs/port.ts"
import { LinePrinter, type PrintOptions } from "../../../src/cli/logs/printer.ts"

const time = "2026-11-24T18:40:00.5Z"
const record = (text: string | Uint8Array, stream: LogRecord["stream"] = "stdout"): LogRecord => ({
  time,
  stream,
  bytes: Buffer.from(text as string)
})
const plain: PrintOptions = { timestamps: false, prefix: "", json: undefined }
const print = (options: Partial<PrintOptions>, ...records: ReadonlyArray<LogRecord>): Buffer => {
  const out: Array<Uint8Array> = []
  const printer = new LinePrinter({ ...plain, ...options }, (bytes) => out.push(bytes))
  for (const each of records) printer.print(each)
  printer.end()
  return Buffer.concat(out)
}

describe("a log that is printed", () => {
  it("has whole lines, also where the pieces of two streams alternate", () => {
    const out = print(
      {},
      record("a1 "),
      record("b1 ", "stderr"),
      record("a2\n"),
      record("b2\n", "stderr"),
      record("tail")
    )
    assert.equal(out.toString(), "a1 a2\nb1 b2\ntail")
  })

  it("has prefix and time once for each line, and pieces beyond the bound as they come", () => {
    const piece = "x".repeat(600_000)
    const out = print({ timestamps: true, prefix: "[pod/web/app] " }, record(piece), record(piece), record("end\n"))
    assert.equal(out.toString(), `[pod/web/app] 2026-11-24T18:40:00.500000000Z ${piece}${piece}end\n`)
  })

  it("is JSON by the line, with base64 for what is no text", () => {
    const json = { namespace: "default", pod: "web", container: "app" }
    const out = print({ json }, record("ü\n"), record(new Uint8Array([0xff, 0x00, 0x0a])), record("open", "stderr"))
    const lines = out.toString().trimEnd().split("\n")
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      [
        { time, ...json, stream: "stdout", log: "ü" },
        { time, ...json, stream: "stdout", base64: "/wA=" },
        { time, ...json, stream: "stderr", log: "open", partial: true }
      ]
    )
  })
})
