import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { UsageError } from "../../src/cli/exit.ts"
import { formatLength, localTime, parseLength, parseTime, timeFlag } from "../../src/cli/times.ts"

/** A Wednesday noon, local time. */
const now = new Date(2026, 0, 14, 12, 0, 0, 0).getTime()
const local = (...parts: [number, number, number, number?, number?, number?, number?]) => new Date(...parts).getTime()

describe("a length of time", () => {
  const lengths: ReadonlyArray<readonly [text: string, millis: number | undefined]> = [
    ["0", 0],
    ["10s", 10_000],
    ["1m30s", 90_000],
    ["1.5h", 5_400_000],
    ["2h", 7_200_000],
    ["7d", 604_800_000],
    ["250ms", 250],
    ["10", undefined],
    ["m", undefined],
    ["10 m", undefined],
    ["-10m", undefined],
    ["10minutes", undefined],
    ["", undefined]
  ]
  for (const [text, millis] of lengths) {
    it(`'${text}' is ${millis === undefined ? "none" : `${millis} ms`}`, () => assert.equal(parseLength(text), millis))
  }

  it("is shown in its two largest units", () => {
    assert.equal(formatLength(350), "350ms")
    assert.equal(formatLength(4200), "4.2s")
    assert.equal(formatLength(9999), "9.9s")
    assert.equal(formatLength(3000), "3s")
    assert.equal(formatLength(190_000), "3m10s")
    assert.equal(formatLength(7_500_000), "2h5m")
    assert.equal(formatLength(86_400_000 * 3 + 3_600_000 * 4 + 5000), "3d4h")
  })
})

describe("a point in time", () => {
  const points: ReadonlyArray<readonly [text: string, at: number | undefined]> = [
    ["now", now],
    ["10m", now - 600_000],
    ["1h30m ago", now - 5_400_000],
    ["1d", now - 86_400_000],
    ["2026-01-13T05:53:47Z", Date.UTC(2026, 0, 13, 5, 53, 47)],
    ["2026-01-13T05:53:47.123Z", Date.UTC(2026, 0, 13, 5, 53, 47, 123)],
    ["2026-01-13T05:53:47.123456789Z", Date.UTC(2026, 0, 13, 5, 53, 47, 123)],
    ["2026-01-13T05:53:47+02:00", Date.UTC(2026, 0, 13, 3, 53, 47)],
    ["2026-01-13T05:53:47-0530", Date.UTC(2026, 0, 13, 11, 23, 47)],
    ["2026-01-13 05:53:47.5", local(2026, 0, 13, 5, 53, 47, 500)],
    ["2026-01-13T05:53", local(2026, 0, 13, 5, 53)],
    ["2026-01-13", local(2026, 0, 13)],
    ["11:59", local(2026, 0, 14, 11, 59)],
    ["11:59:30.25", local(2026, 0, 14, 11, 59, 30, 250)],
    ["12:01", local(2026, 0, 13, 12, 1)],
    ["2026-02-30", undefined],
    ["2026-01-13T25:00:00Z", undefined],
    ["24:00", undefined],
    ["12:60", undefined],
    ["yesterday", undefined],
    ["1700000000", undefined],
    ["", undefined]
  ]
  for (const [text, at] of points) {
    it(`'${text}' is ${at === undefined ? "none" : new Date(at).toISOString()}`, () =>
      assert.equal(parseTime(text, now), at))
  }

  it("reads back as it was printed", () => {
    const at = Date.UTC(2026, 5, 1, 3, 4, 5, 67)
    assert.match(localTime(at), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.067$/u)
    assert.equal(parseTime(localTime(at), now), at)
  })

  it("that is none is a usage error which names the flag", () => {
    assert.throws(
      () => timeFlag("--since", "soon", now),
      (error: unknown) => error instanceof UsageError && error.message.startsWith("--since: 'soon' is no time")
    )
    assert.equal(timeFlag("--since", undefined, now), undefined)
  })
})
