/** A step of the demo: a pod takes the memory of all pods, and has to go for it. */
import { copyFileSync } from "node:fs"
import { join } from "node:path"
import type { Stage } from "./stage.ts"
import { command, explain, good, headline, quote } from "./voice.ts"
import type { Watch } from "./watch.ts"

const mebibyte = 1024 ** 2
const inMebibytes = (bytes: unknown): string => `${Math.round(Number(bytes) / mebibyte)} MiB`

export const evictGreedy = async (stage: Stage, watch: Watch): Promise<void> => {
  headline("A pod takes more memory than it asked for")
  command("bin/chronode stats pods")
  quote(stage.chronode(["stats", "pods"], stage.root))
  explain(
    `The demo's pods may have ${inMebibytes(stage.podsMemory)} together (kubeReserved takes the rest); when less than 100 MiB of it are left, one has to go.`
  )
  command("cp eviction/greedy.yaml .")
  const from = watch.mark
  copyFileSync(join(stage.manifests, "eviction", "greedy.yaml"), join(stage.manifests, "greedy.yaml"))
  const who = "pod/default/greedy"
  const { facts } = await watch.next({ type: "EvictionTriggered", having: { name: "greedy" } }, from)
  await watch.next({ who, type: "PodPhaseChanged", having: { to: "Failed" } }, from)
  await watch.next({ type: "PressureRelieved" }, from)
  good(
    `greedy was evicted when ${inMebibytes(facts.available)} of ${inMebibytes(facts.capacity)} were left, as the first of the ranking; the others run on`
  )
  command("bin/chronode why pod default/greedy")
  quote(stage.chronode(["why", "pod", "default/greedy"], stage.root))
}
