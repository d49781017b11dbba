/**
 * What `why pod` answers in its first line: how it is with a pod at the end of a log, and what that comes from. One
 * sentence, from the pod's own events and those of its probes and volumes.
 */
import type { RecordedEvent } from "../../events/envelope.ts"
import { endWords } from "../../events/kinds/pod.ts"
import type { ProbeType } from "../../events/kinds/probe.ts"
import { Restarts, timesText } from "../../events/restarts.ts"
import { oneLine } from "../text.ts"
import { clockAgainst, formatLength } from "../times.ts"

export interface Verdict {
  readonly text: string
  /** The event whose causes tell more; undefined: the latest trouble that there was. */
  readonly about: RecordedEvent | undefined
}

/** Something that does not work: the last event that says so, when it began, how often it was tried. */
interface Trouble {
  readonly what: string
  readonly since: string
  readonly times: number
  readonly event: RecordedEvent
}

interface ContainerCourse {
  waiting?: Trouble
  unready?: RecordedEvent
  unreadyTimes: number
  ready: boolean
  running: boolean
  /** The probe that keeps it from being ready. */
  failing?: ProbeType
  exit?: RecordedEvent
  kill?: RecordedEvent
  /** It is not started again before this time. */
  backOff?: { readonly delaySeconds: number; readonly until: string }
}

/** Feed the events of one pod, of its probes and of its volumes, in the order of the log. */
export class PodVerdict {
  private readonly restarts = new Restarts()
  private readonly only: string | undefined
  private containers = new Map<string, ContainerCourse>()
  /** What keeps the whole pod from running: volumes by their names, the sandbox, the actors. */
  private hindrances = new Map<string, Trouble>()
  private defects: Trouble | undefined
  private overcome: (Trouble & { readonly until: string }) | undefined
  private ending: RecordedEvent | undefined
  private policy = "Always"
  private last: RecordedEvent | undefined
  private phase: RecordedEvent | undefined
  private rejected: RecordedEvent | undefined
  /** The node takes no pods. */
  private held: RecordedEvent | undefined
  private removed = ""
  /** It was admitted where another definition of the same name had run. */
  private replaced: RecordedEvent | undefined

  /** `container`: only this one of the pod counts. */
  constructor(container?: string) {
    this.only = container
  }

  apply(recorded: RecordedEvent): void {
    const { event } = recorded
    this.restarts.apply(recorded)
    this.last = recorded
    switch (event._tag) {
      case "PodAdmitted":
        this.replaced = this.endedByChange() ? recorded : undefined
        this.containers = new Map()
        this.hindrances = new Map()
        this.overcome = undefined
        this.ending = undefined
        this.phase = undefined
        this.rejected = undefined
        this.held = undefined
        this.removed = ""
        this.policy = event.pod.spec.restartPolicy ?? "Always"
        return
      case "PodRejected":
        this.rejected = recorded
        this.held = undefined
        return
      case "PodHeld":
        this.held = recorded
        return
      case "PodReplacementDropped":
        this.held = undefined
        return
      case "PodTerminationRequested":
        this.ending = recorded
        return
      case "PodRemoved":
        this.removed = recorded.time
        return
      case "PodPhaseChanged":
        this.phase = recorded
        return
      case "VolumeMountFailed":
        this.hinder(`volume ${event.volume} is missing`, event.message, recorded)
        return
      case "VolumeMounted":
        this.clear(`volume ${event.volume} is missing`, recorded)
        return
      case "VolumeUnmountFailed":
        this.hinder(`volume ${event.volume} cannot be taken down`, event.message, recorded)
        return
      case "VolumeUnmounted":
        this.clear(`volume ${event.volume} cannot be taken down`, recorded)
        return
      case "SandboxFailed":
        this.hinder("its sandbox cannot be made", event.message, recorded)
        return
      case "SandboxCreated":
        this.clear("its sandbox cannot be made", recorded)
        return
      case "ActorFailed": {
        const what = `its actor ${recorded.actor.kind} ${recorded.actor.name} failed on ${event.command}: ${event.error}`
        this.defects = this.again(this.defects, what, recorded)
        return
      }
    }
    if ("container" in event) this.follow(recorded, event.container)
  }

  private endedByChange(): boolean {
    const event = this.ending?.event
    return event?._tag === "PodTerminationRequested" && event.reason === "DefinitionChanged"
  }

  private again(known: Trouble | undefined, what: string, event: RecordedEvent): Trouble {
    return { what, since: known?.since ?? event.time, times: (known?.times ?? 0) + 1, event }
  }

  private hinder(key: string, message: string, event: RecordedEvent): void {
    this.hindrances.set(key, this.again(this.hindrances.get(key), `${key}: ${message}`, event))
  }

  private clear(key: string, { time }: RecordedEvent): void {
    const known = this.hindrances.get(key)
    if (known === undefined) return
    this.hindrances.delete(key)
    this.overcome = { ...known, until: time }
  }

  private follow(recorded: RecordedEvent, name: string): void {
    const { event } = recorded
    let c = this.containers.get(name)
    if (c === undefined) {
      c = { unreadyTimes: 0, ready: false, running: false }
      this.containers.set(name, c)
    }
    switch (event._tag) {
      case "ContainerWaiting":
        c.waiting = this.again(c.waiting, `${name} cannot start: ${event.reason}: ${event.message}`, recorded)
        break
      case "ContainerStartFailed":
        c.waiting = this.again(c.waiting, `${name} could not be started: ${event.reason}: ${event.message}`, recorded)
        break
      case "ContainerStartRequested":
        delete c.backOff
        break
      case "ContainerStarted":
        if (c.waiting !== undefined) this.overcome = { ...c.waiting, until: recorded.time }
        c.running = true
        delete c.waiting
        delete c.kill
        break
      case "ProbeStarted":
        if (event.probe !== "liveness") delete c.failing
        break
      case "ProbeFailed":
        if (event.probe !== "liveness") c.failing = event.probe
        break
      case "ContainerKillRequested":
        c.kill = recorded
        break
      case "ContainerExited":
        c.exit = recorded
        c.running = false
        break
      case "ContainerBackOffStarted":
        c.backOff = event
        break
      case "ContainerReadinessChanged":
        // The end of a container makes it unready too, and is told of itself.
        if (c.ready && !event.ready && c.running && c.kill === undefined) {
          c.unready = recorded
          c.unreadyTimes += 1
        }
        c.ready = event.ready
        break
    }
  }

  private clock(time: string): string {
    return clockAgainst(time, this.last?.time)
  }

  private courses(): ReadonlyArray<readonly [name: string, course: ContainerCourse]> {
    return [...this.containers].filter(([name]) => this.only === undefined || name === this.only)
  }

  /** How often it was restarted, and why; undefined: never. */
  restartsText(): string | undefined {
    const told = this.restarts.summary(this.only)
    if (told === undefined) return undefined
    const why = `${told.alike ? ":" : ", the latest time because"} ${told.why}`
    return oneLine(`restarted ${timesText(told.count)} since ${this.clock(told.since)}${why}`)
  }

  verdict(): Verdict {
    const restarted = this.restartsText()
    const { text, about } =
      restarted === undefined
        ? (this.ended() ?? this.hindered() ?? this.troubled() ?? this.fine())
        : { text: `${restarted}${this.afterRestarts()}`, about: undefined }
    return { text: oneLine(text), about }
  }

  private afterRestarts(): string {
    if (this.removed !== "") return `; removed at ${this.clock(this.removed)}: ${this.endingText()}`
    if (this.ending !== undefined) return `; ending since ${this.clock(this.ending.time)}: ${this.endingText()}`
    const failed = this.phase?.event
    if (failed?._tag === "PodPhaseChanged" && failed.to === "Failed" && failed.reason !== undefined)
      return `; failed at ${this.clock(this.phase!.time)}: ${failed.reason}: ${failed.message ?? ""}`
    const [waiting] = this.courses().flatMap(([name, { backOff }]) =>
      backOff === undefined ? [] : [{ name, backOff }]
    )
    if (waiting === undefined) return ""
    const { delaySeconds, until } = waiting.backOff
    return `; ${waiting.name} waits until ${this.clock(until)} (back-off ${delaySeconds} s)`
  }

  private endingText(): string {
    const event = this.ending?.event
    if (event?._tag !== "PodTerminationRequested") return "its end was asked for before this log begins"
    const killed = this.courses().flatMap(([name, { kill, exit }]) =>
      kill !== undefined && exit?.event._tag === "ContainerExited" && exit.event.signal === 9 ? [name] : []
    )
    const reason = endWords[event.reason]
    const rest =
      killed.length === 0
        ? ""
        : `; ${killed.join(", ")} did not end within ${event.gracePeriodSeconds} s and was killed (SIGKILL)`
    return `${reason}${rest}`
  }

  /** Rejected, removed, being ended, failed for good, done. */
  private ended(): Verdict | undefined {
    const { rejected, held, ending, phase, removed } = this
    if (rejected?.event._tag === "PodRejected")
      return { text: `rejected: ${rejected.event.reason}: ${rejected.event.message}`, about: rejected }
    if (held?.event._tag === "PodHeld") {
      const text = `waits since ${this.clock(held.time)}: ${held.event.reason}: ${held.event.message}`
      return { text, about: held }
    }
    if (removed !== "") return { text: `removed at ${this.clock(removed)}: ${this.endingText()}`, about: ending }
    if (ending !== undefined) {
      const stuck = [...this.hindrances.values()].map(({ what, times }) => `; ${what} (tried ${timesText(times)})`)
      const text = `ending since ${this.clock(ending.time)}: ${this.endingText()}${stuck.join("")}`
      return { text, about: [...this.hindrances.values()].at(-1)?.event ?? ending }
    }
    if (phase?.event._tag !== "PodPhaseChanged") return undefined
    const { to, reason, message } = phase.event
    if (to !== "Failed" && to !== "Succeeded") return undefined
    if (reason !== undefined)
      return { text: `failed at ${this.clock(phase.time)}: ${reason}: ${message ?? ""}`, about: phase }
    const ends = this.courses().flatMap(([name, course]) => {
      const { exit, kill } = course
      if (exit?.event._tag !== "ContainerExited") return []
      if (to === "Failed" && exit.event.exitCode === 0) return []
      const oom = exit.event.oomKilled ? ", out of memory" : ""
      return [`${this.killText(name, kill)}${name} ended with exit code ${exit.event.exitCode}${oom}`]
    })
    const what = ends.join(", ") || "its containers have ended"
    return {
      text: `${to.toLowerCase()} at ${this.clock(phase.time)}: ${what} (restartPolicy ${this.policy})`,
      about: phase
    }
  }

  private killText(name: string, kill: RecordedEvent | undefined): string {
    if (kill?.event._tag !== "ContainerKillRequested") return ""
    const { reason } = kill.event
    const type = reason === "LivenessProbe" ? "liveness" : reason === "StartupProbe" ? "startup" : undefined
    return type === undefined ? "" : `${this.restarts.probeText(name, type)}, so that it was stopped; `
  }

  /** It does not run, or not ready, now. */
  private hindered(): Verdict | undefined {
    for (const { what, since, times, event } of this.hindrances.values())
      return { text: `${what} (since ${this.clock(since)}, tried ${timesText(times)})`, about: event }
    for (const [, { waiting, running }] of this.courses())
      if (waiting !== undefined && !running)
        return { text: `${waiting.what} (since ${this.clock(waiting.since)})`, about: waiting.event }
    for (const [name, { kill, exit }] of this.courses())
      if (kill !== undefined && exit === undefined)
        return { text: `${this.killText(name, kill)}it ends since ${this.clock(kill.time)}`, about: kill }
    for (const [name, { failing, ready, running, unready }] of this.courses())
      if (running && !ready) {
        const since = unready === undefined ? "not ready yet" : `not ready since ${this.clock(unready.time)}`
        const why = failing === undefined ? "" : `: ${this.restarts.probeText(name, failing)}`
        return { text: `${name} is ${since}${why}`, about: unready }
      }
    return undefined
  }

  /** It runs and is ready, and was not always. */
  private troubled(): Verdict | undefined {
    const { defects, overcome } = this
    const well = this.courses().every(([, { ready, running }]) => ready || !running) ? "is ready again" : "runs"
    if (defects !== undefined) {
      const often = defects.times === 1 ? "" : `, ${timesText(defects.times)} since ${this.clock(defects.since)}`
      return { text: `${well}; ${defects.what}${often}`, about: defects.event }
    }
    for (const [name, { unready, unreadyTimes }] of this.courses())
      if (unready !== undefined) {
        const often = `was unready ${timesText(unreadyTimes)}, at last at ${this.clock(unready.time)}`
        return { text: `${well}; ${name} ${often}: ${this.restarts.probeText(name, "readiness")}`, about: unready }
      }
    if (overcome === undefined) return undefined
    const length = formatLength(Date.parse(overcome.until) - Date.parse(overcome.since))
    const text = `runs since ${this.clock(overcome.until)}; for ${length} before that: ${overcome.what}`
    return { text, about: overcome.event }
  }

  private fine(): Verdict {
    const phase = this.phase?.event._tag === "PodPhaseChanged" ? this.phase.event.to : undefined
    const since = this.phase === undefined ? "" : ` since ${this.clock(this.phase.time)}`
    const ready = this.courses().length > 0 && this.courses().every(([, c]) => c.ready || !c.running)
    const text = phase === "Running" && ready ? `runs${since} and is ready` : `${phase ?? "Pending"}${since}`
    if (this.replaced === undefined) return { text: `${text}; it had no restart, kill or failure`, about: undefined }
    return { text: `${text}; its definition changed at ${this.clock(this.replaced.time)}`, about: this.replaced }
  }
}
