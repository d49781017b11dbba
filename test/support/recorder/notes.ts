/**
 * What neither `bun test` nor `deno test` tells: why a test was skipped, and (on Deno) errors that no test caught. The
 * test runner loads this beside each test file; the notes are JSON lines in the file that CHRONODE_TEST_NOTES names.
 */
import { appendFileSync } from "node:fs"
import process from "node:process"

export type Note =
  /** `by`: the option of a test or suite, or a running test's call of `t.skip()`, which Deno reports as passed. */
  | { readonly kind: "skip"; readonly by: "test" | "suite" | "call"; readonly name: string; readonly reason: string }
  | { readonly kind: "uncaught"; readonly message: string }

export const note = (it: Note): void => {
  const path = process.env.CHRONODE_TEST_NOTES
  if (path !== undefined) appendFileSync(path, `${JSON.stringify(it)}\n`)
}

type AnyFunction = (...args: Array<any>) => any
/** `it`, `test`, `describe` or `suite` of node:test, or one of their `skip`, `todo`, `only`. */
type Declare = AnyFunction & { readonly [variant: string]: any }

const noReason = "no reason given"
const reasonOf = (value: unknown): string => (typeof value === "string" && value !== "" ? value : noReason)

/** A test's function that notes `t.skip(reason)`. The number of parameters is kept: two mean "calls back when done". */
const watchCalls = (name: string, body: AnyFunction): AnyFunction =>
  body.length !== 1
    ? body
    : function (this: unknown, t: any) {
        const skip = t.skip.bind(t)
        t.skip = (reason?: string) => {
          note({ kind: "skip", by: "call", name, reason: reasonOf(reason) })
          skip(reason)
        }
        return body.call(this, t)
      }

const watch = (declare: Declare, by: "test" | "suite", variant = ""): Declare =>
  new Proxy(declare, {
    apply: (target, self, args: ReadonlyArray<any>) => {
      const options = args.find((arg) => typeof arg === "object" && arg !== null) ?? {}
      const name = String(args.find((arg) => typeof arg === "string") ?? "")
      const skip = options.skip || (variant === "skip" ? noReason : false)
      const todo = options.todo || (variant === "todo" ? noReason : false)
      if (skip) note({ kind: "skip", by, name, reason: reasonOf(skip) })
      else if (todo) note({ kind: "skip", by, name, reason: `to do: ${reasonOf(todo)}` })
      const watched = args.map((arg) => (typeof arg === "function" && by === "test" ? watchCalls(name, arg) : arg))
      return Reflect.apply(target, self, watched)
    },
    get: (target, key) => {
      const value = Reflect.get(target, key)
      return typeof key === "string" && ["skip", "todo", "only"].includes(key) ? watch(value, by, key) : value
    }
  })

/** The declaring functions of node:test, with notes; the rest of the module is used as it is. */
export const watched = (real: { readonly [name: string]: any }) => ({
  it: watch(real.it, "test"),
  test: watch(real.test, "test"),
  describe: watch(real.describe, "suite"),
  suite: watch(real.suite ?? real.describe, "suite")
})
