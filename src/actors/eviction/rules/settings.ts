/**
 * The settings of eviction as a KubeletConfiguration writes them, and the thresholds that they mean (`helpers.go`
 * ParseThresholdConfig). Errors are kubelet's words.
 */
import { Result } from "effect"
import { parseGoDuration } from "../../../events/go-duration.ts"
import { isZero, parseQuantity, type Quantity } from "../../pod/resources/quantity.ts"
import { isSignal } from "./signals.ts"
import { isHard, type Threshold, type ThresholdValue } from "./thresholds.ts"

type Texts = Readonly<Record<string, string>>
type Parsed<A> = Result.Result<A, string>

export interface ThresholdTexts {
  readonly enforceNodeAllocatable: ReadonlyArray<string>
  readonly evictionHard: Texts
  readonly evictionSoft: Texts
  readonly evictionSoftGracePeriod: Texts
  readonly evictionMinimumReclaim: Texts
}

/** kubelet's defaults on Linux (`pkg/kubelet/apis/config/v1beta1/defaults_linux.go`). */
export const defaultEvictionHard: Texts = {
  "memory.available": "100Mi",
  "nodefs.available": "10%",
  "nodefs.inodesFree": "5%",
  "imagefs.available": "15%",
  "imagefs.inodesFree": "5%"
}

const floatPattern = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/u

/** `5.5%` to a fraction, a 32-bit float as upstream. */
export const parsePercentage = (text: string): Parsed<number> => {
  const number = text.replace(/%+$/u, "")
  if (!floatPattern.test(number))
    return Result.fail(`strconv.ParseFloat: parsing ${JSON.stringify(number)}: invalid syntax`)
  return Result.succeed(Math.fround(Math.fround(Number(number)) / 100))
}

const unsupported = (signal: string): string => `unsupported eviction signal ${signal}`

/** `k8s.io/apimachinery/pkg/api/resource` ErrFormatWrong, ErrSuffix. */
const quantity = (text: string): Parsed<Quantity> =>
  Result.mapError(parseQuantity(text), ({ problem }) =>
    problem === "suffix"
      ? "unable to parse quantity's suffix"
      : "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
  )

/** `undefined`: 0 % and 100 % switch it off. */
const parseThreshold = (signal: string, text: string): Parsed<Threshold | undefined> => {
  if (!isSignal(signal)) return Result.fail(unsupported(signal))
  const threshold = (value: ThresholdValue) => Result.succeed({ signal, value, gracePeriod: 0 })
  if (text.endsWith("%")) {
    if (text === "0%" || text === "100%") return Result.succeed(undefined)
    return Result.flatMap(parsePercentage(text), (fraction) =>
      fraction < 0
        ? Result.fail(`eviction percentage threshold ${signal} must be >= 0%: ${text}`)
        : fraction > 1
          ? Result.fail(`eviction percentage threshold ${signal} must be <= 100%: ${text}`)
          : threshold({ fraction })
    )
  }
  return Result.flatMap(quantity(text), (amount) =>
    amount.nano < 0n || isZero(amount)
      ? Result.fail(`eviction threshold ${signal} must be positive: ${text}`)
      : threshold({ quantity: amount })
  )
}

const parseReclaim = (signal: string, text: string): Parsed<ThresholdValue> => {
  if (!isSignal(signal)) return Result.fail(unsupported(signal))
  if (text.endsWith("%")) {
    return Result.flatMap(parsePercentage(text), (fraction) =>
      fraction <= 0
        ? Result.fail(`eviction percentage minimum reclaim ${signal} must be positive: ${text}`)
        : Result.succeed({ fraction })
    )
  }
  return Result.flatMap(quantity(text), (amount) =>
    amount.nano < 0n
      ? Result.fail(`negative eviction minimum reclaim specified for ${signal}`)
      : Result.succeed({ quantity: amount })
  )
}

const parseGrace = (signal: string, text: string): Parsed<number> => {
  if (!isSignal(signal)) return Result.fail(unsupported(signal))
  return Result.flatMap(parseGoDuration(text), (millis) =>
    millis < 0
      ? Result.fail(`invalid eviction grace period specified: ${text}, must be a positive value`)
      : Result.succeed(millis)
  )
}

const parseAll = <A>(
  texts: Texts,
  parse: (signal: string, text: string) => Parsed<A>
): Parsed<ReadonlyMap<string, A>> => {
  const parsed = new Map<string, A>()
  for (const [signal, text] of Object.entries(texts)) {
    const one = parse(signal, text)
    if (Result.isFailure(one)) return Result.fail(one.failure)
    parsed.set(signal, one.success)
  }
  return Result.succeed(parsed)
}

const present = (thresholds: ReadonlyMap<string, Threshold | undefined>): ReadonlyArray<Threshold> =>
  [...thresholds.values()].filter((threshold) => threshold !== undefined)

export const parseThresholds = (texts: ThresholdTexts): Parsed<ReadonlyArray<Threshold>> =>
  Result.gen(function* () {
    const hard = present(yield* parseAll(texts.evictionHard, parseThreshold))
    const softWithoutGrace = present(yield* parseAll(texts.evictionSoft, parseThreshold))
    const graces = yield* parseAll(texts.evictionSoftGracePeriod, parseGrace)
    const reclaims = yield* parseAll(texts.evictionMinimumReclaim, parseReclaim)
    const soft: Array<Threshold> = []
    for (const threshold of softWithoutGrace) {
      const gracePeriod = graces.get(threshold.signal)
      if (gracePeriod === undefined)
        return yield* Result.fail(`grace period must be specified for the soft eviction threshold ${threshold.signal}`)
      soft.push({ ...threshold, gracePeriod })
    }
    const all = [...hard, ...soft].map((threshold) => {
      const minReclaim = reclaims.get(threshold.signal)
      return minReclaim === undefined ? threshold : { ...threshold, minReclaim }
    })
    return texts.enforceNodeAllocatable.includes("pods") ? withAllocatable(all) : all
  })

/** The hard threshold of memory holds for the cgroup of all pods as well (`addAllocatableThresholds`). */
export const withAllocatable = (thresholds: ReadonlyArray<Threshold>): ReadonlyArray<Threshold> => [
  ...thresholds,
  ...thresholds
    .filter((threshold) => threshold.signal === "memory.available" && isHard(threshold))
    .map((threshold) => ({ ...threshold, signal: "allocatableMemory.available" }))
]
