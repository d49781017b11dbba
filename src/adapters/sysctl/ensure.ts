/** Makes parameters of the kernel what they should be, and writes nothing that is right already. */
import { Effect } from "effect"
import type { SysctlError, SysctlSet, Sysctls, SysctlWish } from "./port.ts"

type ReadWrite = Pick<Sysctls["Service"], "read" | "write">

const isRight = ({ value, atLeast }: SysctlWish, before: string): boolean =>
  before.split(/\s+/u).join(" ") === value || (atLeast === true && Number(before) >= Number(value))

const ensureOne = (sysctls: ReadWrite, wish: SysctlWish): Effect.Effect<SysctlSet | undefined> =>
  Effect.gen(function* () {
    const { name, value, optional } = wish
    const before = yield* Effect.catch(sysctls.read(name), (error: SysctlError) => Effect.succeed(error))
    if (typeof before === "string") {
      if (isRight(wish, before)) return undefined
      const failure = yield* Effect.match(sysctls.write(name, value), {
        onFailure: ({ message }) => message,
        onSuccess: () => undefined
      })
      return { name, before, value, ...(failure === undefined ? {} : { failure }) }
    }
    return before.reason === "Missing" && optional === true ? undefined : { name, value, failure: before.message }
  })

export const ensureSysctls =
  (sysctls: ReadWrite): Sysctls["Service"]["ensure"] =>
  (wishes) =>
    Effect.map(
      Effect.forEach(wishes, (wish) => ensureOne(sysctls, wish)),
      (sets) => sets.filter((set) => set !== undefined)
    )
