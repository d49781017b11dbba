/** Declares the commands that reach into a pod: its containers' logs. */
import { Option } from "commander"
import { type Declare, dataDir, examples, output, type Start } from "./declaring.ts"

const container = () => new Option("-c, --container <name>", "which container (default: the pod's only or first one)")

export const declareContainers = (command: Declare, start: Start): void => {
  const logs = command("logs", "print what a pod's container wrote to stdout and stderr")
    .argument("<pod>", "NAMESPACE/NAME")
    .addOption(container())
    .option("--all-containers", "of all containers of the pod, init containers first")
    .option("-f, --follow", "go on with what is written, until the container ends; Ctrl-C ends it too (exit 0)")
    .option("-p, --previous", "of the container's life before its last restart")
    .option("--since <time>", "only from this time on: 2026-11-21T05:53:47Z, 05:53, or 10m, 2h, 1d ago")
    .option("--tail <lines>", "only this many lines from the end; -1: all (the default)")
    .option("--limit-bytes <bytes>", "not more than this")
    .option("--timestamps", "the time before each line")
    .option("--prefix", "pod and container before each line")
    .option("--pod-logs-dir <dir>", "where the runtime writes logs (default: what the agent was told)")
    .addOption(output("text", "json"))
    .addOption(dataDir())
    .action((pod, flags) => start(() => import("./logs.ts"), flags, pod))
  examples(
    logs,
    ["chronode logs default/web", "what it wrote, also what rotation has set aside"],
    ["chronode logs default/web -f --tail 20", "the last lines, and what comes"],
    ["chronode logs default/web -c app --previous", "what it wrote before it was restarted"],
    ["chronode logs default/web --all-containers --prefix --since 10m", "everybody, the last ten minutes"],
    ["chronode logs default/web --timestamps -o json", "JSON, one line each"]
  )
}
