import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { isTime, millis } from "../../src/events/definition.ts"
import { readSequence } from "../../src/events/envelope.ts"
import { seededRandom } from "../support/random.ts"

/** What the language makes of it is the rule; ours is only faster. */
const assertAsParsed = (text: string): void => {
  assert.equal(millis(text), Date.parse(text), text)
  assert.equal(isTime(text), !Number.isNaN(Date.parse(text)), text)
}

describe("a time", () => {
  it("is read as the language reads it, from day to day and back", () => {
    const random = seededRandom("times")
    for (let n = 0; n < 20_000; n++)
      assertAsParsed(new Date(Math.floor((random.next() * 1.5 - 0.2) * 4e12)).toISOString())
  })

  it("that is none, or of another form, is so here too", () => {
    const two = (number: number): string => String(number).padStart(2, "0")
    for (const year of ["0000", "1900", "2000", "2023", "2024"])
      for (let month = 0; month <= 13; month++)
        for (let day = 0; day <= 32; day++)
          assertAsParsed(`${year}-${two(month)}-${two(day)}T${two(day % 26)}:${two(day * 2)}:${two(day * 2)}.120Z`)
    for (const text of ["", "2026", "2026-11-21", "2026-11-21T24:00:00.000Z", "2026-11-21T05:53:47.123Z\n"])
      assertAsParsed(text)
    for (const end of ["Z", ".1Z", ".123456789Z", ".123z", ".123+01:00", ".123"])
      assertAsParsed(`2026-11-21T05:53:47${end}`)
  })
})

describe("a sequence in a text", () => {
  const read = (text: string): number => readSequence(`x${text}x`, 1, 1 + text.length)

  it("is up to 20 digits", () => {
    for (const text of ["0", "7", "00000000000000000001", "9007199254740991"]) assert.equal(read(text), Number(text))
  })

  it("is nothing else", () => {
    for (const text of ["", " 1", "1e3", "0x1f", "-1", "+1", "1.5", "1_0", "٣", "0".repeat(21)])
      assert.ok(Number.isNaN(read(text)), text)
    assert.ok(!Number.isSafeInteger(read("9007199254740992")) && !Number.isSafeInteger(read("9".repeat(20))))
  })
})
