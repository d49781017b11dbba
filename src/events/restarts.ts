/** How often a pod's containers were restarted, and why: told in one sentence, from the pod's events and its probes'. */
import type { RecordedEvent } from "./envelope.ts"
import type { ProbeType } from "./kinds/probe.ts"
import type { OomEvidence } from "./oom-evidence.ts"
import { formatBytes } from "./sizes.ts"

interface Restart {
  readonly container: string
  /** Tells equal reasons from others: `LivenessProbe`, `exit 3`. */
  readonly kind: string
  readonly why: string
}

/** What is known of a container since it last began. */
interface Life {
  /** By probe: what it asks, and its last row of failures. */
  readonly probes: Map<ProbeType, { target: string; failures: number; output: string; timedOut: boolean }>
  ending: { readonly kind: string; readonly why: string } | undefined
  /** A kill was asked for: the exit that follows is its outcome, not the reason. */
  killed: boolean
}

export interface RestartSummary {
  readonly count: number
  /** RFC 3339: when the pod was admitted, or where the log begins to tell of it. */
  readonly since: string
  /** Of the latest restart. */
  readonly why: string
  /** Whether all had the same reason. */
  readonly alike: boolean
}

const words = ["", "once", "twice", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]

/** `once`, `twice`, `three times`, …, `11 times` */
export const timesText = (count: number): string =>
  count === 1 || count === 2 ? words[count]! : `${words[count] ?? count} times`

const statusCode = /statuscode: (\d{3})/u

/** Feed the events of one pod and of its probes, in the order of the log. */
export class Restarts {
  private since = ""
  private containers = 0
  private readonly lives = new Map<string, Life>()
  private restarts: Array<Restart> = []

  apply({ event, time }: RecordedEvent): void {
    if (this.since === "") this.since = time
    switch (event._tag) {
      case "PodAdmitted":
        // The same name, another pod.
        this.since = time
        this.containers = event.pod.spec.containers.length + (event.pod.spec.initContainers?.length ?? 0)
        this.lives.clear()
        this.restarts = []
        break
      case "ProbeStarted":
        this.life(event.container).probes.set(event.probe, {
          target: event.target,
          failures: 0,
          output: "",
          timedOut: false
        })
        break
      case "ProbeFailed": {
        const { probes } = this.life(event.container)
        const { target = "" } = probes.get(event.probe) ?? {}
        const { consecutive: failures, output, timedOut } = event
        probes.set(event.probe, { target, failures, output, timedOut })
        break
      }
      case "ContainerKillRequested": {
        const life = this.life(event.container)
        life.killed = true
        life.ending = { kind: event.reason, why: this.killed(event.container, event.reason, event.message) }
        break
      }
      case "ContainerExited": {
        const life = this.life(event.container)
        if (event.oomKilled)
          life.ending = {
            kind: "OOMKilled",
            why: `${event.container} ran out of memory (OOMKilled${limitText(event.oom)})`
          }
        else if (!life.killed)
          life.ending = {
            kind: `exit ${event.exitCode}`,
            why: `${event.container} ended with exit code ${event.exitCode}`
          }
        break
      }
      case "ContainerStartFailed":
        this.life(event.container).ending = {
          kind: event.reason,
          why: `${event.container} could not be started: ${event.message}`
        }
        break
      case "ContainerStartRequested":
        if (event.attempt > 0) {
          const { kind, why } = this.life(event.container).ending ?? { kind: event.reason, why: event.reason }
          this.restarts.push({ container: event.container, kind, why })
        }
        this.lives.delete(event.container)
        break
    }
  }

  /** Undefined where nothing was restarted. `container`: only that one. */
  summary(container?: string): RestartSummary | undefined {
    const counted = this.restarts.filter((r) => container === undefined || r.container === container)
    const last = counted.at(-1)
    if (last === undefined) return undefined
    return {
      count: counted.length,
      since: this.since,
      why: last.why,
      alike: counted.every((r) => r.kind === last.kind && r.container === last.container)
    }
  }

  private life(container: string): Life {
    let life = this.lives.get(container)
    if (life === undefined) {
      life = { probes: new Map(), ending: undefined, killed: false }
      this.lives.set(container, life)
    }
    return life
  }

  private killed(container: string, reason: string, message: string): string {
    const type = reason === "LivenessProbe" ? "liveness" : reason === "StartupProbe" ? "startup" : undefined
    if (type === undefined) return reason === "SandboxLost" ? `the sandbox of ${container} was lost` : message
    return this.probeText(container, type)
  }

  /** What a container's probe last said against it: `its liveness probe GET … answered 503 three times`. */
  probeText(container: string, type: ProbeType): string {
    const owner = this.containers > 1 ? `the ${type} probe of ${container}` : `its ${type} probe`
    const probe = this.life(container).probes.get(type)
    if (probe === undefined) return `${owner} failed`
    const { failures, output, target, timedOut } = probe
    const code = statusCode.exec(output)?.[1]
    const what = timedOut ? "did not answer in time" : code === undefined ? "failed" : `answered ${code}`
    const said = timedOut || code !== undefined || output === "" ? "" : `: ${output.trim()}`
    return `${owner}${target === "" ? "" : ` ${target}`} ${what} ${timesText(failures)}${said}`
  }
}

const limitText = (oom: OomEvidence | undefined): string =>
  oom?.limitBytes === undefined ? "" : `, limit ${formatBytes(oom.limitBytes)}`
