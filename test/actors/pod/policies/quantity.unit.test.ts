import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Result } from "effect"
import {
  add,
  compare,
  milliValue,
  multiply,
  negate,
  parseQuantity,
  type Quantity,
  type QuantityFormat,
  quantityText,
  roundUp,
  scaledQuantity,
  scaledValue,
  subtract,
  toNumber,
  value
} from "../../../../src/actors/pod/resources/quantity.ts"
import { differs, itMeets, type NotMet, type RowValue } from "../../../support/cases.ts"

const file = "quantity.json"
const parse = (text: string): Quantity => Result.getOrThrow(parseQuantity(text))
const max = 2n ** 63n - 1n

/** Rows hold exact decimals; more than nine places or more than 2^63-1 is outside what a quantity holds. */
const exactNano = (decimal: string): bigint => {
  const [whole = "", fraction = ""] = decimal.replace("-", "").split(".")
  const nano = BigInt(whole + fraction.slice(0, 9).padEnd(9, "0"))
  return decimal.startsWith("-") ? -nano : nano
}
const formatOf = (format: string): QuantityFormat =>
  format === "" ? "DecimalSI" : format === "DecimalSI" || format === "BinarySI" ? format : "DecimalExponent"
const fromRow = (row: { decimal: string; format: string }): Quantity => ({
  nano: exactNano(row.decimal),
  format: formatOf(row.format)
})
const beyond = (decimal: string) => exactNano(decimal) > max * 10n ** 9n || exactNano(decimal) < -max * 10n ** 9n

const overflow = differs("upstream's value leaves 64 bits and wraps; here it is exact or capped")
const negative = differs("upstream rounds a negative value up, down or to noise by its inner form; here away from zero")

const sameQuantity = (q: Quantity, want: RowValue, text?: string): undefined | NotMet => {
  if (beyond(want.decimal)) return overflow
  assert.equal(q.nano, exactNano(want.decimal), "decimal")
  assert.equal(q.format, formatOf(want.format), "format")
  const written = quantityText(q)
  // A parsed quantity upstream may remember its text; ours is always canonical.
  assert.ok(written === want.string || text === want.string, `string: ${written} instead of ${want.string}`)
  if (String(scaledValue(q, 0)) !== want.value || String(scaledValue(q, -3)) !== want.milliValue) {
    const milli = scaledValue(q, -3)
    if (q.nano < 0n) return negative
    if (milli > max || milli < -max) {
      assert.equal(String(scaledValue(q, 0)), want.value, "value")
      return overflow
    }
    assert.fail(`value ${value(q)}, milli ${milliValue(q)} instead of ${want.value}, ${want.milliValue}`)
  }
  return undefined
}

describe("a resource quantity", () => {
  itMeets(file, "TestQuantityParse, TestQuantityString, TestQuantityParseEmit and others", "is read exactly", (row) => {
    const result = parseQuantity(row.in.text)
    if (row.want.error !== undefined) {
      assert.ok(Result.isFailure(result), "was read")
      assert.equal(result.failure.problem, row.want.error.includes("suffix") ? "suffix" : "format")
      return undefined
    }
    return sameQuantity(Result.getOrThrow(result), row.want.quantity, row.in.text)
  })
  itMeets(file, "TestQuantityString", "is written canonically", (row) => {
    assert.equal(quantityText(fromRow(row.in)), row.want.string)
    if (row.in.alternate !== "") assert.equal(compare(parse(row.in.alternate), fromRow(row.in)), 0, "alternate")
    return undefined
  })
  itMeets(file, "TestQuantityRoundUp", "is rounded away from zero", (row) => {
    const q = parse(row.in.text)
    const rounded = roundUp(q, row.in.scale)
    assert.equal(compare(q, rounded) === 0, row.want.exact)
    return sameQuantity(rounded, row.want.quantity)
  })
  itMeets(file, "TestQuantityCmpInt64AndDec", "is compared by value", (row) => {
    const cmp = compare(fromRow(row.in.a), fromRow(row.in.b))
    const finer = [row.in.a, row.in.b].some((x) => (x.decimal.split(".")[1] ?? "").length > 9)
    if (cmp !== row.want.cmp && finer) return differs("finer than a billionth: no text parses to it")
    assert.equal(cmp, row.want.cmp)
    return undefined
  })
  itMeets(file, "TestQuantityCmp", "is compared by value, whatever the suffix", (row) => {
    assert.equal(compare(parse(row.in.x), parse(row.in.y)), row.want.cmp)
    return undefined
  })
  itMeets(file, "TestAdd", "is added", (row) =>
    sameQuantity(add(fromRow(row.in.a), fromRow(row.in.b)), row.want.expected)
  )
  itMeets(file, "TestSub", "is subtracted", (row) =>
    sameQuantity(subtract(fromRow(row.in.a), fromRow(row.in.b)), row.want.expected)
  )
  itMeets(file, "TestNeg", "is negated", (row) => sameQuantity(negate(fromRow(row.in.a)), row.want.expected))
  itMeets(file, "TestMul", "is multiplied", (row) => {
    return sameQuantity(multiply(fromRow(row.in.a), BigInt(row.in.b)), row.want.expected)
  })
  itMeets(file, "TestScaledValue", "is read at any power of ten", (row) => {
    assert.equal(scaledValue(scaledQuantity(1n, row.in.fromScale), row.in.toScale), BigInt(row.want.expected))
    return undefined
  })
  itMeets(file, "TestScaledValueInternal", "is read at any scale", (row) => {
    const q = scaledQuantity(BigInt(row.in.unscaled), -Number(row.in.scale))
    assert.equal(String(scaledValue(q, -Number(row.in.newScale))), row.want.value)
    return undefined
  })
  itMeets(file, "TestNewScaledSet", "is made of a number and a power of ten", (row) => {
    assert.equal(quantityText(scaledQuantity(BigInt(row.in.value), row.in.scale)), row.want.string)
    return undefined
  })
  itMeets(file, "TestMilliNewSet", "is made of thousandths", (row) => {
    assert.equal(quantityText(scaledQuantity(BigInt(row.in.value), -3, formatOf(row.in.format))), row.want.string)
    return undefined
  })
  itMeets(file, "TestNewSet", "is made of whole units", (row) => {
    assert.equal(quantityText(scaledQuantity(BigInt(row.in.value), 0, formatOf(row.in.format))), row.want.string)
    return undefined
  })
  itMeets(file, "TestStringQuantityAsApproximateFloat64", "becomes a floating-point number", (row) => {
    assert.equal(toNumber(parse(row.in.text)), row.want.number)
    return undefined
  })
  itMeets(file, "TestQuantityAsApproximateFloat64", "becomes the nearest floating-point number", (row) => {
    if (beyond(row.in.decimal)) return overflow
    const number = toNumber(fromRow(row.in))
    const near = Math.abs(number - row.want.number) <= Math.abs(number) * 2 * Number.EPSILON
    assert.ok(near, `${number} instead of ${row.want.number}`)
    return undefined
  })

  it("refuses a text of absurd length and costs nothing for an absurd exponent", () => {
    assert.ok(Result.isFailure(parseQuantity("1".repeat(1000))))
    assert.equal(scaledValue(parse("1e999999999"), 0), max)
    assert.equal(parse("1e-999999999").nano, 1n)
    assert.ok(Result.isFailure(parseQuantity("1e99999999999999999999")))
    assert.ok(Result.isFailure(parseQuantity(".")))
  })
})
