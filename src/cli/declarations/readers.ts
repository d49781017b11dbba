/** The commands that read events, on a node or off it: `events`, `get`, `why`, `export`, `top`; and `stats`. */
import { Argument, Option } from "commander"
import {
  type Declare,
  dataDir,
  examples,
  expressionOption,
  filterOptions,
  natsOptions,
  noSnapshots,
  output,
  podOption,
  type Start,
  typeOption,
  withOptions
} from "./shared.ts"

export const declareReaders = (command: Declare, start: Start): void => {
  const events = command("events", "print events, as they are told to people or as they are")
    .option("-f, --follow", "go on with what happens from now on, until --until; Ctrl-C ends it (exit 0)")
    .addOption(
      new Option("--from <source>", "nats, journal or an incident FILE (default: journal if readable, else nats)")
    )
  withOptions(events, filterOptions())
    .addOption(output("text", "json"))
    .addOption(dataDir())
    .option("--node-name <name>", "with --from nats: whose events (default: of every node)")
  withOptions(events, natsOptions()).action((flags) => start(() => import("../events.ts"), flags))
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
        "services",
        "endpoints",
        "node",
        "pod",
        "container",
        "probe",
        "volume",
        "service",
        "endpoint"
      ])
    )
    .addOption(new Option("--from <source>", "journal or an incident FILE").default("journal"))
    .option("--at <point>", "the state at this time, or after the event of this id, instead of now")
    .addOption(noSnapshots())
    .addOption(output("table", "wide", "json", "yaml"))
    .addOption(dataDir())
    .action((what, flags) => start(() => import("../get.ts"), flags, what))
  examples(
    get,
    ["chronode get pods", "pods of this node"],
    ["chronode get containers --at 10m", "as it was ten minutes ago"],
    ["chronode get node -o wide", "ready or not, addresses, kernel, runtime"],
    ["chronode get services", "cluster IPs, ports, and how many endpoints are ready"],
    ["chronode get endpoints --at 05:53", "what stood behind them at that time"],
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
  withOptions(top, natsOptions()).action((flags) => start(() => import("../top.ts"), flags))
  examples(
    top,
    ["chronode top", "this node, live"],
    ["chronode top --filter 'severity >= WARN'", "what has trouble; / changes the filter"],
    ["chronode top --from incident.ndjson --at 05:53", "a file at a time of day; [ and ] step by event"],
    ["chronode top --from nats --node-name n1", "another node"],
    ["chronode top --once -o json", "one document, for a program"]
  ).addHelpText("after", "\nKeys: ? lists them. docs/top.md shows the screen.")

  const stats = command("stats", "print what pods and the node use at the moment; asked of the agent on this machine")
    .addArgument(new Argument("[what]", "of what").choices(["pods", "containers", "volumes", "node"]).default("pods"))
    .addOption(output("table", "json"))
    .addOption(dataDir())
    .action((what, flags) => start(() => import("../stats.ts"), flags, what))
  examples(
    stats,
    ["chronode stats", "CPU, memory, storage and network of each pod"],
    ["chronode stats containers", "of each container, with its layer and its logs"],
    ["chronode stats volumes", "how full volumes are"],
    ["chronode stats node -o json", "of the node, as kubelet tells it in /stats/summary"]
  )

  const why = command("why", "print why something happened: the chain of causes, oldest first, with the evidence")
    .argument("<event>", "id of an event, or the word pod, container, service or endpoint")
    .argument(
      "[name]",
      "after pod or service NAMESPACE/NAME, after container NAMESPACE/POD/CONTAINER, after endpoint IP:PORT: how it is, and why"
    )
    .addOption(new Option("--from <source>", "journal or an incident FILE").default("journal"))
    .option("--all", "every step of a long chain")
    .addOption(output("text", "json"))
    .addOption(dataDir())
    .action((event, name, flags) => start(() => import("../why.ts"), flags, event, name))
  examples(
    why,
    ["chronode why pod default/web", "why was it last restarted, killed or refused?"],
    ["chronode why container default/web/app", "the same of one container"],
    ["chronode why service default/web", "is it served, by whom, and if not, why?"],
    ["chronode why endpoint 10.88.0.7:8080", "why does it get connections, or none?"],
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
    .action((flags) => start(() => import("../export.ts"), flags))
  examples(
    exported,
    ["chronode export --out incident.ndjson --since 1h", "the last hour"],
    ["chronode export --out kill.ndjson --around 019a9f3c-… --window 2m", "two minutes before and after an event"],
    ["chronode export --out web.ndjson.zst --pod default/web", "one pod, its probes and volumes; packed with zstd"]
  )
}
