import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { eventLine } from "../../src/cli/render.ts"
import { formatBytes, parseBytes } from "../../src/cli/sizes.ts"
import { nearest, oneLine, painter, table } from "../../src/cli/text.ts"
import { localTime } from "../../src/cli/times.ts"
import { actorId } from "../../src/events/actor-id.ts"
import type { NodeEvent } from "../../src/events/catalogue.ts"
import { recordedEvents, start } from "../events/recorded.ts"

const plain = painter(false)
const failed: NodeEvent = {
  _tag: "SandboxFailed",
  attempt: 0,
  message: "no \u001b[31mroom\u001b[0m left",
  failures: 1,
  retryAt: "2026-01-15T09:30:10Z"
}

describe("text from a log", () => {
  it("cannot move a terminal's cursor, start a line, or turn the direction of writing", () => {
    assert.equal(oneLine("a\u001b[2Jb\r\n\tc\u202e"), "a\\u001b[2Jb\\r\\n\\tc\\u202e")
    assert.equal(oneLine("größer → 日本"), "größer → 日本")
  })
})

describe("an event's line", () => {
  const [event] = recordedEvents([{ event: failed }])

  it("says when, how bad, who, what, and in a sentence", () => {
    const line = eventLine(event!, plain)
    assert.equal(
      line,
      `${localTime(start)}  ERROR  pod default/web             SandboxFailed               the sandbox could not be made: no \\u001b[31mroom\\u001b[0m left`
    )
  })

  it("is painted by severity where colours are wanted, and holds the same text", () => {
    const line = eventLine(event!, painter(true))
    assert.ok(line.includes("\u001b[31mERROR"))
    assert.equal(line.replace(/\u001b\[\d+m/gu, ""), eventLine(event!, plain))
  })

  it("names an actor without a namespace by kind and name, and shows an unknown type's data raw", () => {
    const unknown = {
      ...event!,
      actor: actorId("node", "", "n1"),
      event: { _tag: "Unknown", type: "dev.chronode.PodTeleported.v2", data: { to: "mars" } }
    } as const
    assert.match(
      eventLine(unknown, plain),
      /node n1 +PodTeleported +\(unknown type dev\.chronode\.PodTeleported\.v2\) \{"to":"mars"\}$/u
    )
  })
})

describe("a table", () => {
  it("aligns its columns and leaves no blanks at the ends", () => {
    assert.equal(
      table(
        ["NAME", "READY", "IP"],
        [
          ["web", "1/1", ""],
          ["database", "0/1", "10.0.0.3"]
        ]
      ),
      "NAME      READY  IP\nweb       1/1\ndatabase  0/1    10.0.0.3\n"
    )
  })

  it("without rows is its header", () => assert.equal(table(["NAME", "IP"], []), "NAME  IP\n"))
})

describe("names that may have been meant", () => {
  it("are near in spelling or contain what was typed, best first", () => {
    assert.deepEqual(nearest("ContainerExitd", ["PodAdmitted", "ContainerExited"]), ["ContainerExited"])
    assert.deepEqual(nearest("exited", ["PodAdmitted", "ContainerExited"]), ["ContainerExited"])
    assert.deepEqual(nearest("xyzzy", ["PodAdmitted", "ContainerExited"]), [])
  })
})

describe("a number of bytes", () => {
  it("is read with binary and decimal suffixes", () => {
    assert.equal(parseBytes("4096"), 4096)
    assert.equal(parseBytes("512Mi"), 512 * 1024 ** 2)
    assert.equal(parseBytes("1G"), 1e9)
    for (const text of ["", "1.5Gi", "-1", "1KB", "999999999999999Ti"]) assert.equal(parseBytes(text), undefined, text)
  })

  it("is shown with one digit where it is small", () => {
    assert.equal(formatBytes(512), "512 B")
    assert.equal(formatBytes(1536), "1.5 KiB")
    assert.equal(formatBytes(300 * 1024 ** 2), "300 MiB")
  })
})
