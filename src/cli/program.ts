/**
 * The command line's contract: every command with its words, flags and examples. Nothing heavy is loaded before a
 * command is known to run: `--help`, `--version` and usage errors answer at once.
 */
import { Argument, Command, CommanderError, Option } from "commander"
import { type Context, type Declare, dataDir, type Execute, examples, output, type Start } from "./declaring.ts"
import { CommandFailed, exitCodes, UsageError } from "./exit.ts"
import { declareContainers } from "./program-containers.ts"
import { OutputClosed, type Terminal } from "./terminal.ts"
import { version } from "./version.ts"

export type { Context, Execute } from "./declaring.ts"

/** Flags of a connection to NATS. What they leave out comes from the environment and context files of the nats tool. */
const natsOptions = (): ReadonlyArray<Option> => [
  new Option("--nats <url>", "NATS server, several by commas (NATS_URL; default nats://127.0.0.1:4222)"),
  ...natsCredentials()
]
const natsCredentials = (): ReadonlyArray<Option> => [
  new Option("--creds <file>", "NATS credentials file (NATS_CREDS)"),
  new Option("--nkey <file>", "NATS nkey seed file (NATS_NKEY)"),
  new Option("--tls-ca <file>", "authority of the NATS server's certificate, PEM (NATS_CA)"),
  new Option("--tls-cert <file>", "client certificate for NATS, PEM (NATS_CERT)"),
  new Option("--tls-key <file>", "key of the client certificate, PEM (NATS_KEY)")
]

const podOption = () => new Option("--pod <ns/name>", "only events of this pod, its probes and its volumes")
const typeOption = () => new Option("--type <types>", "only these event types, e.g. ContainerExited,ProbeFailed")
const sinceOption = () =>
  new Option("--since <time>", "only from this time on: 2026-11-21T05:53:47Z, 05:53, or 10m, 2h, 1d ago")
const expressionOption = () =>
  new Option("--filter <expression>", "only events for which this holds, in CEL (docs/filters.md): 'severity >= WARN'")

/** All that are given hold together. */
const filterOptions = (): ReadonlyArray<Option> => [
  podOption(),
  typeOption(),
  sinceOption(),
  new Option("--until <time>", "only up to this time"),
  expressionOption()
]

const noSnapshots = () =>
  new Option("--no-snapshots", "fold the whole log, and keep nothing in the cache (~/.cache/chronode)")

const withOptions = (command: Command, options: ReadonlyArray<Option>): Command => {
  for (const option of options) command.addOption(option)
  return command
}

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
    if (!(error instanceof OutputClosed)) throw error
  }
  return code
}

/** Says on stderr what went wrong, and answers the exit code for it. */
const report = (error: unknown, terminal: Terminal, words: ReadonlyArray<string>): number => {
  if (error instanceof OutputClosed) return exitCodes.good
  if (error instanceof CommanderError) {
    // The library has written its message (help, version or a usage error) already.
    return error.exitCode === 0 ? exitCodes.good : exitCodes.usage
  }
  if (error instanceof UsageError) {
    const command = words.find((word) => !word.startsWith("-"))
    terminal.note(`chronode: ${error.message}`)
    terminal.note(`see: chronode ${command === undefined ? "" : `${command} `}--help`)
    return exitCodes.usage
  }
  if (error instanceof CommandFailed) {
    terminal.note(`chronode: ${error.message}`)
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
  declareOffline(command, start)
  declareTools(command, start)

  if (words.length === 0) {
    program.help({ error: true })
  }
  await program.parseAsync([...words], { from: "user" })
  return code
}

const declareAgent = (command: Declare, start: Start): void => {
  const run = command("run", "run the agent: pods from manifests, events to the journal and to NATS")
    .option("--manifests <dir>", "directory of pod manifests (YAML or JSON)")
    .option("--config <file>", "KubeletConfiguration or ChronodeConfiguration; flags win over it")
    .option("--cri <socket>", "container runtime (default unix:///run/containerd/containerd.sock)")
    .addOption(new Option("--no-nats", "do not publish events"))
  withOptions(run, natsOptions())
    .addOption(
      new Option("--data-dir <dir>", "where the journal and volumes are kept (default /var/lib/chronode)").env(
        "CHRONODE_DATA_DIR"
      )
    )
    .option("--node-name <name>", "name of this node (default: the host's name in lower case)")
    .option("--pod-logs-dir <dir>", "where containers' logs are written (default /var/log/pods)")
    .option(
      "--container-logs-dir <dir>",
      "where a link to each log is made (default /var/log/containers beside /var/log/pods)"
    )
    .addOption(
      new Option("--recording <mode>", "events; or inputs too, for exact what-if runs (default events)").choices([
        "events",
        "inputs"
      ])
    )
    .addOption(
      new Option("--durability <mode>", "fsync before each effect, or in intervals (default always)").choices([
        "always",
        "interval"
      ])
    )
    .option("--stream-max-age <time>", "oldest event that a new stream keeps; 0: for ever (default 7d)")
    .option("--stream-max-bytes <bytes>", "size of a new stream; -1: no limit (default 512Mi)")
    .option("--stream-replicas <n>", "replicas of a new stream (default 1)")
    .option("--retention-max-age <time>", "oldest published event that the journal keeps; 0: for ever (default 7d)")
    .option("--retention-max-bytes <bytes>", "size of the journal's published part; 0: no limit (default 1Gi)")
    .addOption(
      new Option("--log-format <format>", "of the agent's log on stderr (default text)").choices(["text", "json"])
    )
    .addOption(
      new Option("--log-level <level>", "least level that is logged (default info)").choices([
        "trace",
        "debug",
        "info",
        "warn",
        "error"
      ])
    )
    .action((flags) => start(() => import("./run.ts"), flags))
  examples(
    run,
    ["chronode run --manifests /etc/kubernetes/manifests", "with containerd and NATS at their usual places"],
    ["chronode run --manifests ./pods --no-nats --data-dir /tmp/c", "without NATS"],
    ["chronode run --config /var/lib/kubelet/config.yaml", "what a kubelet on this node was told"],
    ["chronode run --manifests ./pods --nats tls://hub:4222 --creds node.creds", "another NATS, with credentials"]
  ).addHelpText(
    "after",
    "\nSIGTERM and SIGINT stop the agent in good order; containers run on, and the next start takes them over."
  )
}

const declareReaders = (command: Declare, start: Start): void => {
  const events = command("events", "print events, as they are told to people or as they are")
    .option("-f, --follow", "go on with what happens from now on; Ctrl-C ends it (exit 0)")
    .addOption(
      new Option("--from <source>", "nats, journal or an incident FILE (default: journal if readable, else nats)")
    )
  withOptions(events, filterOptions())
    .addOption(output("text", "json"))
    .addOption(dataDir())
    .option("--node-name <name>", "with --from nats: whose events (default: of every node)")
  withOptions(events, natsOptions()).action((flags) => start(() => import("./events.ts"), flags))
  examples(
    events,
    ["chronode events --follow", "everything, live"],
    ["chronode events --pod default/web --since 10m", "one pod, the last ten minutes"],
    ["chronode events --type ContainerExited,ProbeFailed -o json", "CloudEvents, one a line"],
    ["chronode events --filter 'severity >= WARN && text.contains(\"503\")'", "any condition (docs/filters.md)"],
    ["chronode events --from incident.ndjson", "out of a file, with nothing running"],
    ["chronode events --follow --from nats --nats nats://hub:4222", "from another machine"]
  )

  const get = command("get", "print the state of things, folded from events, now or at any time")
    .addArgument(
      new Argument("<what>", "what to print").choices([
        "pods",
        "containers",
        "probes",
        "volumes",
        "node",
        "pod",
        "container",
        "probe",
        "volume"
      ])
    )
    .addOption(new Option("--from <source>", "journal or an incident FILE").default("journal"))
    .option("--at <point>", "the state at this time, or after the event of this id, instead of now")
    .addOption(noSnapshots())
    .addOption(output("table", "json", "yaml"))
    .addOption(dataDir())
    .action((what, flags) => start(() => import("./get.ts"), flags, what))
  examples(
    get,
    ["chronode get pods", "pods of this node"],
    ["chronode get containers --at 10m", "as it was ten minutes ago"],
    ["chronode get probes --from incident.ndjson -o json", "out of a file, for a program"]
  )

  const top = command("top", "watch a node: pods, containers, probes, volumes and images in a table that lives")
    .addOption(
      new Option("--from <source>", "nats, journal or an incident FILE (default: journal if readable, else nats)")
    )
    .option("--at <point>", "stand at this time, or after the event of this id; [ and ] step from there")
    .addOption(podOption())
    .addOption(typeOption())
    .addOption(expressionOption())
    .option("--once", "print it once, as a text; so too where stdin or stdout is no terminal")
    .addOption(output("text", "json"))
    .addOption(dataDir())
    .option("--node-name <name>", "with --from nats: whose events (default: of the first node that is met)")
  withOptions(top, natsOptions()).action((flags) => start(() => import("./top.ts"), flags))
  examples(
    top,
    ["chronode top", "this node, live"],
    ["chronode top --filter 'severity >= WARN'", "what has trouble; / changes the filter"],
    ["chronode top --from incident.ndjson --at 05:53", "a file at a time of day; [ and ] step by event"],
    ["chronode top --from nats --node-name n1", "another node"],
    ["chronode top --once -o json", "one document, for a program"]
  ).addHelpText("after", "\nKeys: ? lists them. docs/top.md shows the screen.")

  const why = command("why", "print why something happened: the chain of causes, oldest first, with the evidence")
    .argument("<event>", "id of an event, or the word pod or container")
    .argument(
      "[name]",
      "after the word pod NAMESPACE/NAME, after container NAMESPACE/POD/CONTAINER: its latest trouble"
    )
    .addOption(new Option("--from <source>", "journal or an incident FILE").default("journal"))
    .option("--all", "every step of a long chain")
    .addOption(output("text", "json"))
    .addOption(dataDir())
    .action((event, name, flags) => start(() => import("./why.ts"), flags, event, name))
  examples(
    why,
    ["chronode why pod default/web", "why was it last restarted, killed or refused?"],
    ["chronode why container default/web/app", "the same of one container"],
    ["chronode why 019a9f3c-…", "why did this event happen? (ids: chronode events -o json)"],
    ["chronode why pod default/web --from incident.ndjson", "out of a file"]
  )

  const exported = command("export", "write events to one portable file, an incident")
    .requiredOption(
      "--out <file>",
      "file to write, NDJSON of CloudEvents, packed if it ends in .zst; for its owner only"
    )
    .addOption(new Option("--from <source>", "journal or an incident FILE").default("journal"))
  withOptions(exported, filterOptions())
    .option("--around <event>", "only what happened around the event of this id")
    .option("--window <length>", "how long before and after it (default 5m)")
    .option("--force", "replace the file if it exists")
    .addOption(output("text", "json"))
    .addOption(dataDir())
    .action((flags) => start(() => import("./export.ts"), flags))
  examples(
    exported,
    ["chronode export --out incident.ndjson --since 1h", "the last hour"],
    ["chronode export --out kill.ndjson --around 019a9f3c-… --window 2m", "two minutes before and after an event"],
    ["chronode export --out web.ndjson.zst --pod default/web", "one pod, its probes and volumes; packed with zstd"]
  )
}

const declareOffline = (command: Declare, start: Start): void => {
  const replay = command("replay", "replay an incident offline: its timeline and the state that it led to")
    .argument("<file>", "incident file")
    .option("--until <point>", "stop at this time, or after the event of this id")
    .addOption(podOption())
    .addOption(typeOption())
    .addOption(sinceOption())
    .addOption(expressionOption())
    .option(
      "--verify",
      "check the chain and take every decision again; at the first that differs print both sides, exit 3"
    )
    .option("--with <file>", "what if: parts of pods or node settings that would have been otherwise (YAML)")
    .option("--all", "with --verify: go on after a difference and list all of them")
    .option("--speed <times>", "show each event when its time has come: 1 as it was, 10, 0.5, or max (the default)")
    .option("--step", "show one event for each key (or line of stdin); q ends")
    .option(
      "--publish <url>",
      "publish the events to this NATS server instead; at speed 1 unless --speed says otherwise"
    )
    .option("--subject-prefix <prefix>", "what their subjects begin with (default replay: replay.chronode.…)")
    .option("--fresh-ids", "publish under new message ids: a stream takes what it got in an earlier replay once more")
    .option("--html <file>", "write a page to look at it: lanes, states, causes, search; one file that works offline")
    .option("--perfetto <file>", "write a trace for Perfetto (ui.perfetto.dev) and chrome://tracing")
    .option("--otlp <url>", "send the starts of pods as traces to an OpenTelemetry collector (OTLP/HTTP)")
    .option("--force", "replace these files if they exist")
  withOptions(replay, natsCredentials())
    .addOption(output("text", "json"))
    .action((file, flags) => start(() => import("./replay.ts"), flags, file))
  examples(
    replay,
    ["chronode replay incident.ndjson", "what happened, and how it ended"],
    ["chronode replay incident.ndjson --until '2026-11-21 05:53:47'", "the state at that time"],
    ["chronode replay incident.ndjson --pod default/web", "what is told of one pod; the state is folded from all"],
    ["chronode replay incident.ndjson --verify", "would today's code decide the same?"],
    ["chronode replay incident.ndjson --with what-if.yaml", "what would have happened otherwise?"],
    ["chronode replay incident.ndjson --speed 10", "watch it happen, ten times faster"],
    ["chronode replay incident.ndjson --publish nats://127.0.0.1:4222 --speed max", "try a subscriber on it"],
    ["chronode replay incident.ndjson --html incident.html", "look at it in a browser"],
    ["chronode replay incident.ndjson --otlp http://127.0.0.1:4318", "what took so long when pods started?"]
  )

  const state = command("state", "print the whole folded state of a log, at its end or at any point")
    .argument("[file]", "incident file")
    .option("--journal", "of this node's journal")
    .option("--at <point>", "at this time, or after the event of this id (default: the end)")
    .option("--pod <ns/name>", "only this pod, its probes and its volumes")
    .addOption(noSnapshots())
    .addOption(output("yaml", "json"))
    .addOption(dataDir())
    .action((file, flags) => start(() => import("./state.ts"), flags, file))
  examples(
    state,
    ["chronode state incident.ndjson", "everything, with the hash by which two states are compared"],
    ["chronode state incident.ndjson --at 05:53 --pod default/web", "one pod at a time of day"],
    ["chronode state --journal -o json", "of this node, now"]
  )

  const diff = command("diff", "print where two states differ: of two files, or of one log at two points")
    .argument("<a>", "FILE, FILE@POINT or journal@POINT; a point is a time or the id of an event")
    .argument("<b>", "the same")
    .addOption(noSnapshots())
    .addOption(output("text", "json"))
    .addOption(dataDir())
    .action((a, b, flags) => start(() => import("./diff.ts"), flags, a, b))
  examples(
    diff,
    ["chronode diff incident.ndjson@05:53 incident.ndjson@05:54", "what one minute changed"],
    ["chronode diff before.ndjson after.ndjson", "the ends of two files"],
    ["chronode diff journal@10m journal", "of this node, ten minutes ago and now"]
  )

  const verify = command("verify", "check the hash chain: exit 0 if it is whole, 3 if it is broken")
    .argument("[file]", "incident file")
    .option("--journal", "check this node's journal")
    .addOption(
      new Option(
        "--head <head>",
        "prove that it belongs to the chain with this head: HASH or SEQUENCE:HASH; repeatable"
      ).argParser((head, heads: ReadonlyArray<string> | undefined) => [...(heads ?? []), head])
    )
    .option(
      "--head-from <source>",
      "the same by the heads that the node published: nats, or a FILE of SEQUENCE:HASH lines"
    )
    .addOption(output("text", "json"))
    .addOption(dataDir())
  withOptions(verify, natsOptions()).action((file, flags) => start(() => import("./verify.ts"), flags, file))
  examples(
    verify,
    ["chronode verify --journal", "this node's journal"],
    ["chronode verify incident.ndjson", "a file that somebody sent"],
    ["chronode verify incident.ndjson --head-from nats", "is it what the node published?"],
    ["chronode verify incident.ndjson --head 193:fbb2d712…", "is it the log with the head that I wrote down?"]
  )
}

const declareTools = (command: Declare, start: Start): void => {
  const schema = command("schema", "print the JSON Schema (2020-12) of one event or of the whole catalogue")
    .argument("[type]", "event type: ContainerExited or dev.chronode.ContainerExited.v1")
    .option("--asyncapi", "print an AsyncAPI 3.0 document instead: subjects, messages, schemas")
    .addOption(output("json"))
    .action((type, flags) => start(() => import("./schema.ts"), flags, type))
  examples(
    schema,
    ["chronode schema ContainerExited", "one event, with its envelope"],
    ["chronode schema > events.schema.json", "all of them"],
    ["chronode schema --asyncapi > asyncapi.json", "for the tools of asyncapi.com: what is published on which subject"]
  )

  const doctor = command("doctor", "check what the agent needs on this machine, and say how to mend what is missing")
    .option("--cri <socket>", "container runtime", "unix:///run/containerd/containerd.sock")
    .option("--no-nats", "do not look for NATS")
  withOptions(doctor, natsOptions())
    .addOption(dataDir())
    .option("--cni-conf-dir <dir>", "where the runtime finds its network configuration", "/etc/cni/net.d")
    .option("--cni-bin-dir <dir>", "where the runtime finds its network plugins (default /opt/cni/bin, /usr/lib/cni)")
    .addOption(output("text", "json"))
    .action((flags) => start(() => import("./doctor.ts"), flags))
  examples(doctor, ["chronode doctor", "everything"], ["chronode doctor --no-nats -o json", "for a program"])
}
