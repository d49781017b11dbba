/** What the declarations of commands share: their types, and flags that several of them have. */
import { type Command, Option } from "commander"
import type { Neighbours } from "./neighbours.ts"
import type { Terminal } from "./terminal.ts"

/** What the file of a command exports as `execute`: answers the exit code. */
export type Execute<Flags, Arguments extends ReadonlyArray<unknown>> = (
  context: Context,
  flags: Flags,
  ...parameters: Arguments
) => Promise<number>

/** What every command is given: where it writes, and the live code that it may ask for. */
export interface Context {
  readonly terminal: Terminal
  readonly neighbours: Neighbours
}

export type Declare = (name: string, description: string) => Command
export type Start = <Flags, Arguments extends ReadonlyArray<unknown>>(
  load: () => Promise<{ readonly execute: Execute<Flags, Arguments> }>,
  flags: Flags,
  ...parameters: Arguments
) => Promise<void>

const defaultDataDir = "/var/lib/chronode"

export const dataDir = () =>
  new Option("--data-dir <dir>", "where the agent keeps its journal").default(defaultDataDir).env("CHRONODE_DATA_DIR")

export const output = (...formats: ReadonlyArray<string>) =>
  new Option("-o, --output <format>", "how to print").choices(formats).default(formats[0])

export const examples = (
  command: Command,
  ...lines: ReadonlyArray<readonly [line: string, meaning: string]>
): Command => {
  const width = Math.max(...lines.map(([line]) => line.length))
  const text = lines.map(([line, meaning]) => `  ${line.padEnd(width)}  # ${meaning}`).join("\n")
  return command.addHelpText("after", `\nExamples:\n${text}`)
}
