/**
 * Named points at which the agent can be made to die by SIGKILL, for the tests of recovery:
 * `CHRONODE_FAILPOINT=cri.startContainer.after:3` dies at the third time that point is reached. Without the variable
 * nothing here is in the way.
 */
import process from "node:process"
import { Effect } from "effect"
import { ContainerRuntime } from "./adapters/cri/port.ts"
import { EventStream } from "./adapters/nats/port.ts"
import { Volumes } from "./adapters/volumes/port.ts"
import { Journal } from "./events/journal/port.ts"

export const failpointVariable = "CHRONODE_FAILPOINT"

/** The calls of the runtime that change something, each with a point before and one after. */
export const failpointCalls = [
  "runPodSandbox",
  "stopPodSandbox",
  "removePodSandbox",
  "createContainer",
  "startContainer",
  "stopContainer",
  "removeContainer",
  "pullImage"
] as const

export const failpoints: ReadonlyArray<string> = [
  "journal.append.before",
  "journal.append.after",
  ...failpointCalls.flatMap((call) => [`cri.${call}.before`, `cri.${call}.after`]),
  "publish.before",
  "publish.after"
]

let remaining: number | undefined

const reach = (name: string): Effect.Effect<void> =>
  Effect.sync(() => {
    const [wanted, count] = (process.env[failpointVariable] ?? "").split(":")
    if (wanted !== name) return
    remaining = (remaining ?? Number(count ?? 1)) - 1
    if (remaining <= 0) process.kill(process.pid, "SIGKILL")
  })

const around = <A, E, R>(name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  reach(`${name}.before`).pipe(Effect.andThen(effect), Effect.tap(reach(`${name}.after`)))

export const isArmed = (): boolean => process.env[failpointVariable] !== undefined

export const armedJournal = (journal: Journal["Service"]): Journal["Service"] =>
  isArmed() ? Journal.of({ ...journal, append: (drafts) => around("journal.append", journal.append(drafts)) }) : journal

export const armedRuntime = (runtime: ContainerRuntime["Service"]): ContainerRuntime["Service"] => {
  if (!isArmed()) return runtime
  const armed = { ...runtime } as Record<string, unknown>
  for (const call of failpointCalls) {
    const original = runtime[call] as (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown>
    armed[call] = (...args: ReadonlyArray<unknown>) => around(`cri.${call}`, original(...args))
  }
  return ContainerRuntime.of(armed as never)
}

/** `publish.before`: a window is about to be sent; `publish.after`: it is sent, and the server may have stored it. */
export const armedStream = (stream: EventStream["Service"]): EventStream["Service"] =>
  isArmed()
    ? EventStream.of({
        ...stream,
        connect: Effect.map(stream.connect, (session) => ({
          ...session,
          publish: (messages, after) => around("publish", session.publish(messages, after))
        }))
      })
    : stream

/** `volumes.mount.before`, `.after`, `volumes.unmount.before`, `.after`; tested with volumes. */
export const armedVolumes = (volumes: Volumes["Service"]): Volumes["Service"] =>
  isArmed()
    ? Volumes.of({
        ...volumes,
        mount: (request) => around("volumes.mount", volumes.mount(request)),
        unmount: (podUid, name) => around("volumes.unmount", volumes.unmount(podUid, name))
      })
    : volumes
