/** `chronode replay FILE`: picks what is to be made of the incident. Each mode has a file of its own, loaded only when asked for. */

import type { Execute } from "./command.ts"
import { UsageError } from "./exit.ts"
import type { ReplayFlags } from "./replay/flags.ts"

interface Mode {
  /** The flags that ask for it, as they are typed. */
  readonly flags: ReadonlyArray<keyof ReplayFlags>
  readonly load: () => Promise<{ readonly execute: Execute<ReplayFlags, [file: string]> }>
}

/** Without the flags of any mode the incident is told. */
const story: Mode = { flags: [], load: () => import("./replay/story.ts") }
const modes: ReadonlyArray<Mode> = [
  { flags: ["verify", "all"], load: () => import("./replay/verify.ts") },
  { flags: ["with"], load: () => import("./replay/what-if.ts") },
  { flags: ["html", "perfetto"], load: () => import("./replay/report.ts") },
  { flags: ["otlp"], load: () => import("./replay/otlp.ts") },
  { flags: ["publish", "subjectPrefix", "freshIds"], load: () => import("./replay/publish.ts") }
]

const asked = (flags: ReplayFlags, mode: Mode): string | undefined =>
  mode.flags.find((name) => flags[name] !== undefined && flags[name] !== false)

/** `subjectPrefix` as it is typed. */
const dashed = (name: string): string => name.replace(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)

const modeOf = (flags: ReplayFlags): Mode => {
  const wanted = modes.filter((mode) => asked(flags, mode) !== undefined)
  if (wanted.length < 2) return wanted[0] ?? story
  const names = wanted.map((mode) => `--${dashed(asked(flags, mode) ?? "")}`)
  throw new UsageError(`replay: ${names.join(" and ")} do not go together: run it once for each`)
}

export const execute: Execute<ReplayFlags, [file: string]> = async (context, flags, file) => {
  const { execute: replay } = await modeOf(flags).load()
  return replay(context, flags, file)
}
