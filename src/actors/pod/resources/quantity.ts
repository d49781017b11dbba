/**
 * Kubernetes resource quantities (`100m`, `64Mi`, `1.5e3`), exact. A quantity is a whole number of billionths, held as a
 * bigint, and the family of suffixes that it was written in. Finer values are rounded away from zero to the next
 * billionth; anything beyond 2^63-1 in size counts as that (`k8s.io/apimachinery/pkg/api/resource`).
 *
 * Where upstream's 64-bit arithmetic wraps around, or rounds a negative fraction the other way, this stays exact: the
 * rows that show it are listed in test/actors/pod/policies/quantity.unit.test.ts.
 */
import { Result, Schema } from "effect"

export type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent"

export interface Quantity {
  /** Billionths. */
  readonly nano: bigint
  readonly format: QuantityFormat
}

/** `problem`: `format`, the text is no number with a suffix; `suffix`, the suffix is none of the known ones; `length`. */
export class QuantityInvalid extends Schema.TaggedError<QuantityInvalid>()("QuantityInvalid", {
  text: Schema.String,
  problem: Schema.Literals(["format", "suffix", "length"])
}) {
  override get message(): string {
    const why = { format: "is not a number with a suffix", suffix: "has an unknown suffix", length: "is too long" }
    return `quantity ${JSON.stringify(this.text.slice(0, 80))} ${why[this.problem]}`
  }
}

/** Longest text that is read; nothing sensible comes near it, and a bigint of megabytes costs seconds. */
export const maxQuantityLength = 128

const nanoPerUnit = 10n ** 9n
/** `maxAllowed` upstream: the largest signed 64-bit number. */
const limit = (2n ** 63n - 1n) * nanoPerUnit

const decimalSuffixes: ReadonlyArray<readonly [suffix: string, power: number]> = [
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["", 0],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18]
]
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] as const

const powerOfDecimal = new Map(decimalSuffixes)
const decimalOfPower = new Map(decimalSuffixes.map(([suffix, power]) => [power, suffix]))

export const zero: Quantity = { nano: 0n, format: "DecimalSI" }

const abs = (n: bigint): bigint => (n < 0n ? -n : n)

/** Division that rounds away from zero. `divisor` is positive. */
const divideUp = (n: bigint, divisor: bigint): bigint =>
  n < 0n ? -((-n + divisor - 1n) / divisor) : (n + divisor - 1n) / divisor

const capped = (nano: bigint): bigint => (nano > limit ? limit : nano < -limit ? -limit : nano)

/** mantissa × 10^power in billionths; powers that cannot matter are cut off, so that `1e999999999` costs nothing. */
const scaled = (mantissa: bigint, digits: number, power: number): bigint => {
  if (mantissa === 0n) return 0n
  const sign = mantissa < 0n ? -1n : 1n
  const toNano = power + 9
  if (digits + toNano > 40) return sign * limit
  if (digits + toNano < 0) return sign
  return capped(toNano >= 0 ? mantissa * 10n ** BigInt(toNano) : divideUp(mantissa, 10n ** BigInt(-toNano)))
}

const shape = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*)([-+]?[0-9]*)$/u

/** Reads a quantity as a manifest writes it. */
export const parseQuantity = (text: string): Result.Result<Quantity, QuantityInvalid> => {
  if (text.length > maxQuantityLength) return Result.fail(new QuantityInvalid({ text, problem: "length" }))
  const match = shape.exec(text)
  const [, sign, whole = "", fraction = "", letters = "", exponent = ""] = match ?? []
  if (match === null || whole + fraction === "") return Result.fail(new QuantityInvalid({ text, problem: "format" }))
  const digits = whole + fraction
  const mantissa = BigInt(digits) * (sign === "-" ? -1n : 1n)
  const build = (power: number, format: QuantityFormat) =>
    Result.succeed({ nano: scaled(mantissa, digits.length, power - fraction.length), format })

  if (exponent === "") {
    const power = powerOfDecimal.get(letters)
    if (power !== undefined) return build(power, "DecimalSI")
    const binary = binarySuffixes.indexOf(letters as (typeof binarySuffixes)[number])
    if (binary > 0) {
      const numerator = mantissa * 1024n ** BigInt(binary) * nanoPerUnit
      const nano = capped(divideUp(numerator, 10n ** BigInt(fraction.length)))
      // Below one, a binary suffix cannot write it.
      const small = nano !== 0n && abs(nano) < nanoPerUnit
      return Result.succeed({ nano, format: small ? "DecimalSI" : "BinarySI" })
    }
  } else if ((letters === "e" || letters === "E") && /[0-9]/u.test(exponent)) {
    const power = Number(exponent)
    if (Number.isSafeInteger(power)) return build(power, "DecimalExponent")
  }
  return Result.fail(new QuantityInvalid({ text, problem: "suffix" }))
}

/**
 * The quantity of a text that has passed admission; absent counts as zero, and so does a text that does not parse
 * (admission refuses those, so that no policy meets one).
 */
export const quantityOf = (text: string | undefined): Quantity =>
  text === undefined ? zero : Result.getOrElse(parseQuantity(text), () => zero)

/** unscaled × 10^power. */
export const scaledQuantity = (unscaled: bigint, power = 0, format: QuantityFormat = "DecimalSI"): Quantity => ({
  nano: scaled(unscaled, abs(unscaled).toString().length, power),
  format
})

/** Read at 10^power and rounded away from zero: `scaledValue(q, -3)` counts thousandths. */
export const scaledValue = (q: Quantity, power: number): bigint =>
  power >= -9 ? divideUp(q.nano, 10n ** BigInt(power + 9)) : q.nano * 10n ** BigInt(-9 - power)

/** Whole units, rounded away from zero: bytes of memory. */
export const value = (q: Quantity): number => Number(scaledValue(q, 0))
/** Thousandths, rounded away from zero: milli-CPU. */
export const milliValue = (q: Quantity): number => Number(scaledValue(q, -3))
/** Nearest floating-point number. */
export const toNumber = (q: Quantity): number => {
  const units = q.nano / nanoPerUnit
  return Number(units) + Number(q.nano - units * nanoPerUnit) / 1e9
}

export const isZero = (q: Quantity): boolean => q.nano === 0n
export const compare = (a: Quantity, b: Quantity): -1 | 0 | 1 => (a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0)
export const maximum = (a: Quantity, b: Quantity): Quantity => (compare(b, a) > 0 ? b : a)

/** Takes the format of `a`, or of `b` where `a` is zero. */
export const add = (a: Quantity, b: Quantity): Quantity => ({
  nano: capped(a.nano + b.nano),
  format: a.nano === 0n ? b.format : a.format
})
export const negate = (q: Quantity): Quantity => ({ nano: -q.nano, format: q.format })
export const subtract = (a: Quantity, b: Quantity): Quantity => add(a, negate(b))
export const multiply = (q: Quantity, by: bigint): Quantity => ({ nano: capped(q.nano * by), format: q.format })

/** Rounded away from zero to a multiple of 10^power; nothing is finer than a billionth. */
export const roundUp = (q: Quantity, power: number): Quantity => {
  const step = 10n ** BigInt(Math.max(power, -9) + 9)
  return { nano: divideUp(q.nano, step) * step, format: q.format }
}

/** Largest n ≤ bound with base^n dividing `amount`. */
const factors = (amount: bigint, base: bigint, bound: number): number => {
  let n = 0
  for (let rest = amount; n < bound && rest !== 0n && rest % base === 0n; rest /= base) n += 1
  return n
}

/** The canonical text: no precision lost, no digits after a point, the largest suffix that allows it. */
export const quantityText = (q: Quantity): string => {
  if (q.nano === 0n) return "0"
  const whole = q.nano % nanoPerUnit === 0n
  if (q.format === "BinarySI" && whole && abs(q.nano) >= 1024n * nanoPerUnit) {
    const units = q.nano / nanoPerUnit
    const n = factors(units, 1024n, binarySuffixes.length - 1)
    return `${units / 1024n ** BigInt(n)}${binarySuffixes[n]}`
  }
  const thousands = factors(q.nano, 1000n, 9)
  const power = thousands * 3 - 9
  const mantissa = q.nano / 1000n ** BigInt(thousands)
  if (q.format === "DecimalExponent") return power === 0 ? `${mantissa}` : `${mantissa}e${power}`
  return `${mantissa}${decimalOfPower.get(power)}`
}
