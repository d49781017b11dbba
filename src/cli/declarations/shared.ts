/** What the declarations of commands share: their types, and flags that several of them have. */
import { type Command, Option } from "commander"
import type { ProxyMode } from "../../adapters/dataplane/port.ts"
import type { Execute } from "../command.ts"

export type Declare = (name: string, description: string) => Command
export type Start = <Flags, Arguments extends ReadonlyArray<unknown>>(
  load: () => Promise<{ readonly execute: Execute<Flags, Arguments> }>,
  flags: Flags,
  ...parameters: Arguments
) => Promise<void>

/** As in the dataplane's port, which would load much for a `--help`. */
export const proxyModes: ReadonlyArray<ProxyMode> = ["nftables", "ipvs", "iptables"]

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

/** Flags of a connection to NATS. What they leave out comes from the environment and context files of the nats tool. */
export const natsOptions = (): ReadonlyArray<Option> => [
  new Option("--nats <url>", "NATS server, several by commas (NATS_URL; default nats://127.0.0.1:4222)"),
  ...natsCredentials()
]
export const natsCredentials = (): ReadonlyArray<Option> => [
  new Option("--creds <file>", "NATS credentials file (NATS_CREDS)"),
  new Option("--nkey <file>", "NATS nkey seed file (NATS_NKEY)"),
  new Option("--tls-ca <file>", "authority of the NATS server's certificate, PEM (NATS_CA)"),
  new Option("--tls-cert <file>", "client certificate for NATS, PEM (NATS_CERT)"),
  new Option("--tls-key <file>", "key of the client certificate, PEM (NATS_KEY)")
]

export const podOption = () => new Option("--pod <ns/name>", "only events of this pod, its probes and its volumes")
export const typeOption = () => new Option("--type <types>", "only these event types, e.g. ContainerExited,ProbeFailed")
export const sinceOption = () =>
  new Option("--since <time>", "only from this time on: 2026-11-21T05:53:47Z, 05:53, or 10m, 2h, 1d ago")
export const expressionOption = () =>
  new Option("--filter <expression>", "only events for which this holds, in CEL (docs/filters.md): 'severity >= WARN'")

/** All that are given hold together. */
export const filterOptions = (): ReadonlyArray<Option> => [
  podOption(),
  typeOption(),
  sinceOption(),
  new Option("--until <time>", "only up to this time"),
  expressionOption()
]

export const noSnapshots = () =>
  new Option("--no-snapshots", "fold the whole log, and keep nothing in the cache (~/.cache/chronode)")

export const withOptions = (command: Command, options: ReadonlyArray<Option>): Command => {
  for (const option of options) command.addOption(option)
  return command
}
