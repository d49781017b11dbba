/** The commands that tell the agent of this node what to do: `node cordon`, `uncordon`, `drain`, `status`. */
import type { Command } from "commander"
import { type Declare, dataDir, examples, output, type Start } from "./shared.ts"

export const declareNode = (command: Declare, start: Start): void => {
  const node = command(
    "node",
    "whether this node takes pods: cordon, drain, uncordon it; asks the agent that runs here"
  )
  const sub = (name: string, description: string): Command =>
    node
      .command(name)
      .description(description)
      .helpOption("-h, --help", "print this help")
      .addOption(output("text", "json"))
      .addOption(dataDir())
  const cordon = sub("cordon", "take no new pods: those of new manifests wait; pods that are there run on").action(
    (flags) => start(() => import("../node/cordon.ts"), flags, "cordon")
  )
  examples(cordon, ["chronode node cordon", "pods of new manifests wait (SchedulingDisabled in get pods)"])
  const uncordon = sub("uncordon", "take pods again: those that waited, and those that a drain ended, run").action(
    (flags) => start(() => import("../node/cordon.ts"), flags, "uncordon")
  )
  examples(uncordon, ["chronode node uncordon", "all manifests that are there are run again"])
  const drain = sub("drain", "cordon, end all pods but critical ones, and wait until nothing is left of them")
    .option("--grace-period <seconds>", "in place of the pods' own; -1: each has its own", "-1")
    .option("--timeout <length>", "give up after this: 5m, 90s; 0: never", "0")
    .option("--delete-emptydir-data", "also pods with emptyDir volumes, whose content is lost")
    .option("--pod-selector <labels>", "only pods of these labels: app=web,tier!=cache")
    .option("--dry-run", "print which pods would end; change nothing")
    .action((flags) => start(() => import("../node/drain.ts"), flags))
  examples(
    drain,
    ["chronode node drain", "before the machine is worked on; then: chronode node uncordon"],
    ["chronode node drain --grace-period 10 --timeout 2m", "in a hurry"],
    ["chronode node drain --pod-selector app=web --dry-run", "who would end?"]
  ).addHelpText(
    "after",
    "\nExit code 1: pods are left when the time is over, or the drain was refused.\nCtrl-C ends the waiting, not the drain."
  )
  const status = sub("status", "whether this node is ready, takes pods, or is being drained").action((flags) =>
    start(() => import("../node/cordon.ts"), flags, "status")
  )
  examples(status, ["chronode node status -o json", "for a program"])
  examples(
    node,
    ["chronode node drain", "end all pods but critical ones, and take no new ones"],
    ["chronode node uncordon", "run them again"]
  )
}
