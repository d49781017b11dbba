/** The commands that take a whole log: `replay`, `state`, `diff`, `verify`. */
import { Option } from "commander"
import {
  type Declare,
  dataDir,
  examples,
  expressionOption,
  natsCredentials,
  natsOptions,
  noSnapshots,
  output,
  podOption,
  type Start,
  sinceOption,
  typeOption,
  withOptions
} from "./shared.ts"

export const declareOffline = (command: Declare, start: Start): void => {
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
    .action((file, flags) => start(() => import("../replay.ts"), flags, file))
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
    .action((file, flags) => start(() => import("../state.ts"), flags, file))
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
    .action((a, b, flags) => start(() => import("../diff.ts"), flags, a, b))
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
  withOptions(verify, natsOptions()).action((file, flags) => start(() => import("../verify.ts"), flags, file))
  examples(
    verify,
    ["chronode verify --journal", "this node's journal"],
    ["chronode verify incident.ndjson", "a file that somebody sent"],
    ["chronode verify incident.ndjson --head-from nats", "is it what the node published?"],
    ["chronode verify incident.ndjson --head 374:1b6a707e…", "is it the log with the head that I wrote down?"]
  )
}
