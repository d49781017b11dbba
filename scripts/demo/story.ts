/** The steps of the demo, in the order in which a visitor sees them. Each says what it does and shows what came of it. */
import { execFileSync } from "node:child_process"
import { chmodSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { busyboxImage } from "../lab/image.ts"
import { longBackOff } from "./back-off.ts"
import { evictGreedy } from "./shortage.ts"
import { checkout, nodeName, type Stage, streamName, type Task } from "./stage.ts"
import { command, explain, good, headline, live, quote, table } from "./voice.ts"
import { Watch } from "./watch.ts"

const version = (program: string, pattern: RegExp): string =>
  pattern.exec(execFileSync(program, ["--version"], { encoding: "utf8" }))?.[1] ?? "?"

const ready = (pod: string) => ({
  who: `pod/default/${pod}`,
  type: "PodConditionChanged",
  having: { condition: "Ready", status: true }
})

const startServers = async (stage: Stage, keep: boolean): Promise<void> => {
  headline("Starting a private containerd and a private nats-server")
  explain(`Everything of theirs is below ${stage.root}; what runs on this machine already is left alone.`)
  await stage.startServers(keep)
  good(`containerd ${version("containerd", /containerd\S* v?(\d\S*)/u)} at ${stage.containerd!.endpoint}`)
  good(`nats-server ${version("nats-server", /v(\d\S*)/u)} with JetStream on disk at ${stage.nats!.url}`)
  good(`image ${busyboxImage}, built from this machine's static busybox and imported`)
}

const runPods = async (stage: Stage): Promise<Watch> => {
  headline("Running the pods of examples/, with a second program listening on NATS")
  const shown = stage.runWords.map((word) => word.replace(checkout, "."))
  command(`bin/chronode ${shown.slice(0, 3).join(" ")} \\`)
  for (let at = 3; at < shown.length; at += 4) {
    explain(`      ${shown.slice(at, at + 4).join(" ")}${at + 4 < shown.length ? " \\" : ""}`)
  }
  command(`bun scripts/demo/subscriber.ts ${stage.nats!.url} ${streamName}`)
  explain(
    "The subscriber is less than forty lines that know NATS and CloudEvents only. All lines marked 'nats' are printed by it."
  )
  explain("(Of the conditions of pods only Ready is shown here, and some facts are left out to keep lines short.)")
  const watch = new Watch(stage.nats!.url, streamName, (seen) => live(seen, stage.root))
  stage.endings.push(() => watch.stop())
  stage.startAgent((message) => watch.fail(message))
  const malformed = await watch.next({ who: "source/_/manifests", type: "ManifestInvalid" })
  await Promise.all(["notes", "web", "greeter-one", "greeter-two"].map((pod) => watch.next(ready(pod))))
  good("notes (init container, then writer and reader with one emptyDir) and web (httpGet readiness) are ready")
  good(`malformed.yaml costs only itself: line ${malformed.facts.line}: ${malformed.facts.message}`)
  return watch
}

/** How often the Service is asked. */
const requests = 40
/** Milliseconds for which an answer is waited. */
const answerPatience = 5_000

/** Who answers at the Service's address, and how often. */
const askService = async (address: string): Promise<ReadonlyMap<string, number>> => {
  const answers = new Map<string, number>()
  for (let n = 0; n < requests; n += 1) {
    const request = { signal: AbortSignal.timeout(answerPatience), headers: { connection: "close" } }
    const name = (await (await fetch(`http://${address}/`, request)).text()).trim()
    answers.set(name, (answers.get(name) ?? 0) + 1)
  }
  return answers
}

const spread = (answers: ReadonlyMap<string, number>): string =>
  [...answers]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name} ${count}`)
    .join(", ")

const endpointOf = (watch: Watch, pod: string): string => {
  const added = watch.last({ type: "EndpointAdded", having: { from: `pod default/${pod}` } })
  if (added === undefined) throw new Error(`no endpoint of pod ${pod} was added`)
  return `${added.facts.address}:${added.facts.port}`
}

const useService = async (stage: Stage, watch: Watch): Promise<void> => {
  headline("A Service in front of two pods")
  const who = "service/default/greeter"
  const services: ReadonlyArray<{ readonly name: string; readonly clusterIP: string }> = JSON.parse(
    stage.chronode(["get", "services", "-o", "json"], stage.root)
  )
  const address = services.find(({ name }) => name === "greeter")?.clusterIP ?? ""
  explain("The kernel spreads connections to its address over the pods that are ready.")
  command(`for i in $(seq ${requests}); do curl -s http://${address}/; done | sort | uniq -c`)
  const both = await askService(address)
  if (both.size !== 2) throw new Error(`the Service did not spread its ${requests} requests: ${spread(both)}`)
  good(`${requests} requests were answered by ${spread(both)}`)

  command("bin/chronode exec default/greeter-one -- rm /www/ready")
  const from = watch.mark
  const endpoint = endpointOf(watch, "greeter-one")
  stage.chronode(["exec", "default/greeter-one", "--", "rm", "/www/ready"], stage.root)
  await watch.next({ type: "EndpointUnready", having: { address: endpoint.slice(0, endpoint.lastIndexOf(":")) } }, from)
  await watch.next({ who, type: "ServiceProgrammed" }, from)
  const one = await askService(address)
  if (one.size !== 1 || !one.has("greeter-two")) throw new Error(`an unready pod was sent requests: ${spread(one)}`)
  good(`greeter-one is not ready: ${requests} requests were answered by ${spread(one)}`)
  command(`bin/chronode why endpoint ${endpoint}`)
  quote(stage.chronode(["why", "endpoint", endpoint], stage.root))

  command("rm greeter-one.yaml")
  const left = watch.mark
  rmSync(join(stage.manifests, "greeter-one.yaml"))
  await watch.next({ type: "EndpointRemoved", having: { service: "greeter" } }, left)
  good("greeter-one was ended, and stands behind the Service no more")
  command("bin/chronode get endpoints")
  quote(stage.chronode(["get", "endpoints"], stage.root))
}

const failLiveness = async (watch: Watch): Promise<void> => {
  headline("A liveness probe fails")
  explain("wedged answers GET /healthz with 404 some seconds after its start; three failures end its container.")
  const who = "pod/default/wedged"
  await watch.next({ who, type: "ContainerKillRequested" })
  await watch.next({ who, type: "ContainerStarted", having: { attempt: 1 } })
  good("its container was stopped and started again")
}

/** The container that runs now, by the events. */
const containerOf = (watch: Watch, pod: string, container: string): string => {
  const started = watch.last({ who: `pod/default/${pod}`, type: "ContainerStarted", having: { container } })
  if (started === undefined) throw new Error(`no container ${container} of pod ${pod} was started`)
  return String(started.facts.containerId)
}

const taskOf = (tasks: ReadonlyArray<Task>, id: string): Task => {
  const task = tasks.find((one) => one.id === id)
  if (task === undefined) throw new Error(`containerd runs no container ${id}`)
  return task
}

const killContainer = async (stage: Stage, watch: Watch): Promise<void> => {
  headline("Killing a container's process from outside")
  const { id, pid } = taskOf(await stage.tasks(), containerOf(watch, "web", "httpd"))
  command(`kill -9 ${pid}     # process 1 of web's container ${id.slice(0, 13)}, as containerd knows it`)
  const from = watch.mark
  process.kill(pid, "SIGKILL")
  const who = "pod/default/web"
  const exited = await watch.next({ who, type: "ContainerExited", having: { containerId: id } }, from)
  await watch.next({ who, type: "ContainerStarted" }, from)
  await watch.next(ready("web"), from)
  good(`noticed (exit code ${exited.facts.exitCode}), started again, and ready again`)
}

const containers: ReadonlyArray<readonly [pod: string, container: string]> = [
  ["notes", "writer"],
  ["notes", "reader"],
  ["web", "httpd"],
  ["wedged", "server"]
]

const killAgent = async (stage: Stage, watch: Watch): Promise<void> => {
  headline("Killing the agent with SIGKILL, and starting it again")
  explain("crash-loop is restarted after a pause that grows with each end: the agent dies while that time runs.")
  const who = "pod/default/crash-loop"
  const promise = await longBackOff(watch, who)
  const before = await stage.tasks()
  const from = watch.mark
  command("kill -9 <agent>")
  await stage.endAgent("SIGKILL")
  good(`the agent is dead; ${before.length} containers and sandboxes run on`)
  command("bin/chronode run …")
  stage.startAgent((message) => watch.fail(message))
  await watch.next({ who: `node/_/${nodeName}`, type: "NodeStarted" }, from)
  const again = await watch.next({ who, type: "ContainerStarted" }, from)
  const after = await stage.tasks()
  const rows = containers.map(([pod, container]) => {
    const task = taskOf(before, containerOf(watch, pod, container))
    const now = after.find(({ id }) => id === task.id)
    const same = now?.pid === task.pid
    return { same, row: [`${pod}/${container}`, task.id.slice(0, 13), String(task.pid), String(now?.pid ?? "gone")] }
  })
  table([["container", "id", "pid before", "pid after"], ...rows.map(({ row }) => row)])
  const lost = before.filter(({ id, pid }) => !after.some((task) => task.id === id && task.pid === pid))
  if (rows.some(({ same }) => !same) || lost.length > 0)
    throw new Error("a container did not survive the agent's death")
  good(`no container restarted: all ${before.length} processes are the same`)
  good(
    `the back-off was kept: crash-loop was due at ${String(promise.facts.until).slice(11, 19)} and started at ${again.time.slice(0, 8)}`
  )
}

const exportIncident = (stage: Stage, incident: string): void => {
  headline("Looking at the state, and exporting the log to one file")
  const directory = dirname(incident)
  command("bin/chronode get pods")
  quote(stage.chronode(["get", "pods"], directory))
  command(`bin/chronode export --out ${basename(incident)}`)
  // The name was taken for us just now, as an empty file.
  quote(stage.chronode(["export", "--out", incident, "--force"], directory))
}

const stopServers = async (stage: Stage, watch: Watch): Promise<void> => {
  headline("Stopping everything: agent, containers, containerd, nats-server")
  const from = watch.mark
  await stage.endAgent("SIGTERM")
  await watch.next({ who: `node/_/${nodeName}`, type: "NodeStopped" }, from)
  const words = await watch.stop()
  await stage.nats!.stop()
  await stage.containerd!.stop()
  good(`the subscriber ${words}`)
  good("nothing runs any more")
}

/** The first and last lines of a long text. */
const ends = (text: string, first: number, last: number): string => {
  const lines = text.trimEnd().split("\n")
  if (lines.length <= first + last + 1) return text
  return [...lines.slice(0, first), `… ${lines.length - first - last} more lines`, ...lines.slice(-last)].join("\n")
}

const replay = (stage: Stage, incident: string): void => {
  headline("Replaying the incident offline, from the file alone")
  const directory = dirname(incident)
  const name = basename(incident)
  command(`bin/chronode verify ${name}`)
  quote(stage.chronode(["verify", name], directory))
  command(`bin/chronode replay ${name} --verify`)
  quote(ends(stage.chronode(["replay", name, "--verify"], directory), 6, 24), "cut")
  headline("Asking why")
  command(`bin/chronode why pod default/wedged --from ${name}`)
  quote(stage.chronode(["why", "pod", "default/wedged", "--from", name], directory))
  headline("Asking what would have happened if its liveness probe bore six failures instead of three")
  const whatIf = "examples/what-if/wedged.yaml"
  command(`bin/chronode replay ${name} --with ${whatIf}`)
  quote(ends(stage.chronode(["replay", name, "--with", join(checkout, whatIf)], directory), 14, 13), "cut")
}

/** Leaves the demo running: a file with the environment, a script that stops it, and how to use both. */
const handOver = (stage: Stage, incident: string): void => {
  const { root, containerd, nats, manifests } = stage
  const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`
  writeFileSync(
    join(root, "env"),
    [
      `export CHRONODE_DATA_DIR=${quoted(stage.dataDir)}`,
      `export NATS_URL=${quoted(nats!.url)}`,
      `export CONTAINERD_ADDRESS=${quoted(containerd!.socket)} CONTAINERD_NAMESPACE=k8s.io`,
      `export PATH=${quoted(join(checkout, "bin"))}:"$PATH"`,
      ""
    ].join("\n")
  )
  const stop = join(root, "stop")
  writeFileSync(stop, `#!/bin/sh\nexec sh ${quoted(join(checkout, "scripts/demo.sh"))} --stop ${quoted(root)}\n`)
  chmodSync(stop, 0o755)
  headline("Left running (KEEP=1)")
  const lines: ReadonlyArray<readonly [line: string, meaning: string]> = [
    [`. ${join(root, "env")}`, "in your shell; then:"],
    ["chronode events --follow", "what happens, live"],
    ["chronode get pods", "also containers, probes, volumes, services, endpoints, node"],
    ["chronode why pod default/crash-loop", "the chain of causes"],
    ["nats sub 'chronode.*.pod.>'", "if you have the nats tool"],
    ["ctr tasks list", "the containers, as containerd sees them"],
    [`rm ${join(manifests, "web.yaml")}`, "ends that pod; edit or add manifests as you like"],
    [`less ${stage.agentLog}`, "the agent's own log"],
    [stop, "ends all of it and removes it"]
  ]
  const width = Math.max(...lines.map(([line]) => line.length))
  for (const [line, meaning] of lines) command(`${line.padEnd(width)}  # ${meaning}`)
  good(`the incident stays: ${incident}`)
}

/** The whole demo. `takeName` answers the path of the file that stays, empty. */
export const play = async (stage: Stage, keep: boolean, takeName: () => string): Promise<void> => {
  await startServers(stage, keep)
  const watch = await runPods(stage)
  await failLiveness(watch)
  await useService(stage, watch)
  await killContainer(stage, watch)
  await evictGreedy(stage, watch)
  await killAgent(stage, watch)
  const incident = takeName()
  exportIncident(stage, incident)
  if (keep) await watch.stop()
  else await stopServers(stage, watch)
  replay(stage, incident)
  if (keep) handOver(stage, incident)
}
