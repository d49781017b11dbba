/** Declares the commands that reach into a pod: its containers' logs, processes and ports. */
import { Option } from "commander"
import { type Declare, dataDir, examples, output, type Start } from "./shared.ts"

const container = () => new Option("-c, --container <name>", "which container (default: the pod's only or first one)")

const cri = () => new Option("--cri <socket>", "container runtime (default: the agent's)")

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
    .action((pod, flags) => start(() => import("../logs.ts"), flags, pod))
  examples(
    logs,
    ["chronode logs default/web", "what it wrote, also what rotation has set aside"],
    ["chronode logs default/web -f --tail 20", "the last lines, and what comes"],
    ["chronode logs default/web -c app --previous", "what it wrote before it was restarted"],
    ["chronode logs default/web --all-containers --prefix --since 10m", "everybody, the last ten minutes"],
    ["chronode logs default/web --timestamps -o json", "JSON, one line each"]
  )

  const exec = command("exec", "run a command in a pod's container; its exit code becomes this program's")
    .argument("<pod>", "NAMESPACE/NAME")
    .argument("<command...>", "after --")
    .addOption(container())
    .option("-i, --stdin", "give it this program's stdin")
    .option("-t, --tty", "give it a terminal of the size of this one")
    .addOption(cri())
    .addOption(dataDir())
    .action((pod, words, flags) => start(() => import("../exec.ts"), flags, pod, words))
  examples(
    exec,
    ["chronode exec default/web -- cat /etc/hosts", "what it prints, and its exit code"],
    ["chronode exec default/web -it -- sh", "a shell"],
    ["tar c . | chronode exec default/web -c app -i -- tar x -C /tmp", "something to read"]
  )

  const attach = command("attach", "attach to the streams of the process that a pod's container runs")
    .argument("<pod>", "NAMESPACE/NAME")
    .addOption(container())
    .option("-i, --stdin", "give it this program's stdin (its manifest says stdin: true)")
    .option("-t, --tty", "this is its terminal (its manifest says tty: true)")
    .addOption(cri())
    .addOption(dataDir())
    .action((pod, flags) => start(() => import("../attach.ts"), flags, pod))
  examples(
    attach,
    ["chronode attach default/web", "what it writes from now on; Ctrl-C leaves it running"],
    ["chronode attach default/console -it", "its terminal; Ctrl-C goes to it"]
  )

  const forward = command("port-forward", "forward ports of this machine to a pod's, until Ctrl-C (exit 0)")
    .argument("<pod>", "NAMESPACE/NAME")
    .argument("<ports...>", "LOCAL:REMOTE; REMOTE alone for both; :REMOTE for any local port that is free")
    .option("--address <ip>", "where to listen", "127.0.0.1")
    .addOption(cri())
    .addOption(dataDir())
    .action((pod, ports, flags) => start(() => import("../port-forward.ts"), flags, pod, ports))
  examples(
    forward,
    ["chronode port-forward default/web 8080:80", "http://127.0.0.1:8080 is the pod's port 80"],
    ["chronode port-forward default/db 5432 :9187", "two ports, the second at any that is free"]
  )
}
