/**
 * The command line's contract: every command with its words, flags and examples. Nothing heavy is loaded before a
 * command is known to run: `--help`, `--version` and usage errors answer at once.
 */
import { Command, CommanderError } from "commander"
import type { Context, Execute } from "./command.ts"
import { declareAgent, declareTools } from "./declarations/agent.ts"
import { declareContainers } from "./declarations/containers.ts"
import { declareNode } from "./declarations/node.ts"
import { declareOffline } from "./declarations/offline.ts"
import { declareProxy } from "./declarations/proxy.ts"
import { declareReaders } from "./declarations/readers.ts"
import { examples } from "./declarations/shared.ts"
import { CommandFailed, exitCodes, UsageError } from "./exit.ts"
import { OutputClosed, type Terminal } from "./terminal.ts"
import { oneLine } from "./text.ts"
import { version } from "./version.ts"

const exitCodesText = `
Exit codes:
  0  good
  1  failed: something is missing, does not answer, or a check failed
  2  wrong usage
  3  verification failed: the log is not what it was, or does not lead to the same decisions`

/**
 * Runs the command line `words` (without the program's name) and answers the exit code. Never throws.
 *
 * A closed stdout ends a command quietly; the code is then that of the part that was done.
 */
export const main = async (words: ReadonlyArray<string>, context: Context): Promise<number> => {
  const { terminal } = context
  let code: number = exitCodes.good
  try {
    try {
      code = await dispatch(words, context)
    } catch (error) {
      code = report(error, terminal, words)
    }
    terminal.flush()
  } catch (error) {
    code = error instanceof OutputClosed ? code : report(error, terminal, words)
  }
  return code
}

/** What a message quotes of a file or of another program may hold any character: none of them reaches the terminal. */
const printable = (message: string): string => message.split("\n").map(oneLine).join("\n")

/** Says on stderr what went wrong, and answers the exit code for it. */
const report = (error: unknown, terminal: Terminal, words: ReadonlyArray<string>): number => {
  if (error instanceof OutputClosed) return exitCodes.good
  if (error instanceof CommanderError) {
    // The library has written its message (help, version or a usage error) already.
    return error.exitCode === 0 ? exitCodes.good : exitCodes.usage
  }
  if (error instanceof UsageError) {
    const command = words.find((word) => !word.startsWith("-"))
    terminal.note(`chronode: ${printable(error.message)}`)
    terminal.note(`see: chronode ${command === undefined ? "" : `${command} `}--help`)
    return exitCodes.usage
  }
  if (error instanceof CommandFailed) {
    terminal.note(`chronode: ${printable(error.message)}`)
    if (error.advice !== undefined) terminal.note(`  ${error.advice}`)
    return exitCodes.failed
  }
  terminal.note(`chronode: an error that should not have happened; please report it`)
  terminal.note(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return exitCodes.failed
}

const dispatch = async (words: ReadonlyArray<string>, context: Context): Promise<number> => {
  const { neighbours, terminal } = context
  let code: number = exitCodes.good
  /** Schemas are compiled from here on: five to eight times faster decoding, 20 ms that `--help` need not wait for. */
  const start = async <Flags, Arguments extends ReadonlyArray<unknown>>(
    load: () => Promise<{ readonly execute: Execute<Flags, Arguments> }>,
    flags: Flags,
    ...parameters: Arguments
  ): Promise<void> => {
    await import("effect/schema/SchemaJITCompiler/enable")
    const { execute } = await load()
    code = await execute(context, flags, ...parameters)
  }

  const program = new Command("chronode")
    .description("Runs the pods of a directory of manifests on this node, and writes down everything that happens.")
    .version(`chronode ${version} (${neighbours.runtimeName})`, "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print help for a command")
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.note(text.replace(/\n$/u, "")),
      outputError: (text, write) => write(text.replace(/^error: /u, "chronode: "))
    })
    .configureHelp({ sortOptions: false, showGlobalOptions: false })
    .showHelpAfterError("see: chronode --help")
    .showSuggestionAfterError(true)
    .exitOverride()
  examples(
    program,
    ["chronode run --manifests /etc/kubernetes/manifests", "run the pods of that directory"],
    ["chronode events --follow", "watch what happens"],
    ["chronode why pod default/web", "why was it restarted?"],
    ["chronode <command> --help", "flags and examples of a command"]
  ).addHelpText("after", exitCodesText)

  /** Subcommands inherit output and exit handling when they are made by `command`. */
  const command = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .helpOption("-h, --help", "print this help")
      .showHelpAfterError(`see: chronode ${name.split(" ")[0]} --help`)

  declareAgent(command, start)
  declareReaders(command, start)
  declareContainers(command, start)
  declareNode(command, start)
  declareOffline(command, start)
  declareProxy(command, start)
  declareTools(command, start)

  if (words.length === 0) {
    program.help({ error: true })
  }
  await program.parseAsync([...words], { from: "user" })
  return code
}
