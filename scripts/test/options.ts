/** The options of `npm test`. */
import { parseArgs } from "node:util"

export type Level = "unit" | "int" | "e2e"
export type Part = Level | "checks"
export type Runtime = "bun" | "deno"
/** Where a test file runs: on a runtime here, or on Bun in the virtual machine of scripts/lab/vm.ts. */
export type Place = Runtime | "vm"

export const parts: ReadonlyArray<Part> = ["checks", "unit", "int", "e2e"]
export const runtimes: ReadonlyArray<Runtime> = ["bun", "deno"]
export const places: ReadonlyArray<Place> = [...runtimes, "vm"]

export interface Options {
  readonly help: boolean
  readonly only: ReadonlyArray<Part>
  readonly runtime: ReadonlyArray<Place>
  /** Part of a test file's path; empty: all. */
  readonly filter: string
  /** Of the tests that repeat; undefined: each test's own number. */
  readonly rounds: number | undefined
  /** Command-line tests start both runtimes each, not one by turns. */
  readonly both: boolean
  /** All that can run in the virtual machine does, not the few files that always do. */
  readonly vm: boolean
  readonly verbose: boolean
}

export const help = `npm test -- [options]      (or: sh scripts/test.sh [options])

Installs what is missing, then checks and tests everything, on Bun and on Deno.

  --only PART       checks, unit, int or e2e; may be repeated or joined by commas
  --runtime NAME    bun, deno or vm only (vm: on Bun in a virtual machine whose kernel has cgroup v2)
  --filter TEXT     only test files whose path contains TEXT (leaves the checks out)
  --rounds N        how often the tests that repeat do so (CHRONODE_ROUNDS); more than 20 stretch the time limits
  --both            slow tests too run on Bun and Deno, not on one of them: "// runtimes: bun (deno)", and those
                    of the command line, which start one by turns (CHRONODE_BOTH)
  --vm              long: in the virtual machine also the files that say "// runtimes: (vm)"
  --verbose         print the output of passing files too
  -h, --help

Levels, by file name: *.unit.test.ts is pure, *.int.test.ts meets a real neighbour, *.e2e.test.ts runs the program.
A file runs on both runtimes, an e2e file on Bun only, unless one of its first lines says "// runtimes: bun, deno";
"// runtimes: bun vm" is run in the virtual machine too. "// netns: own" gives the file a network namespace (needs root).
Tests that this machine cannot run are skipped; the end of the run lists the reasons. A random test prints its seed:
CHRONODE_SEED=N repeats it.

  npm test -- --only unit --runtime bun
  npm test -- --filter journal
  npm test -- --only e2e --filter kill --rounds 200

Exit codes: 0 all passed, 1 something failed, 2 wrong options or no such test.
`

const oneOf = <A extends string>(
  option: string,
  allowed: ReadonlyArray<A>,
  given: ReadonlyArray<string>
): ReadonlyArray<A> => {
  const words = given.flatMap((word) => word.split(",")).filter((word) => word !== "")
  for (const word of words) {
    if (!allowed.includes(word as A)) throw new Error(`${option}: "${word}" is none of ${allowed.join(", ")}`)
  }
  return words.length === 0 ? allowed : allowed.filter((a) => words.includes(a))
}

/** Throws an Error with a message for the user when an option is unknown or makes no sense. */
export const parseOptions = (args: ReadonlyArray<string>): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", multiple: true, default: [] },
      runtime: { type: "string", multiple: true, default: [] },
      filter: { type: "string", default: "" },
      rounds: { type: "string" },
      both: { type: "boolean", default: false },
      vm: { type: "boolean", default: false },
      verbose: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false }
    }
  })
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
  if (rounds !== undefined && !(Number.isSafeInteger(rounds) && rounds > 0)) {
    throw new Error(`--rounds: "${values.rounds}" is no whole number above zero`)
  }
  const only = oneOf("--only", parts, values.only)
  return {
    help: values.help,
    only: values.filter !== "" ? only.filter((part) => part !== "checks") : only,
    runtime: oneOf("--runtime", places, values.runtime),
    filter: values.filter,
    rounds,
    both: values.both,
    vm: values.vm,
    verbose: values.verbose
  }
}
