/**
 * Decision flags: how a decider's behaviour is changed without breaking what was recorded. A change of what is decided
 * gets the next number here, and the decider asks for it. An agent runs with all flags that it knows and says so in
 * `NodeStarted`; a log is decided again with the flags that its own `NodeStarted` names, from there on.
 *
 * A number is never used again and never removed: the logs that lack it are decided the old way for ever.
 */
export interface DecisionFlag {
  readonly number: number
  readonly name: string
  /** The first version of Chronode that has it. */
  readonly since: string
  /** What is decided otherwise with it than without. */
  readonly about: string
}

export const restartAfterOwnKill: DecisionFlag = {
  number: 1,
  name: "RestartAfterOwnKill",
  since: "0.1.0",
  about:
    "An end says for which reason the agent stopped the container (`killedFor`), and one that was stopped for a failed probe or a lost sandbox comes back whatever its exit code was, unless it is never restarted. Without it a container that obeys SIGTERM with exit code 0 stayed down with the policy OnFailure."
}

export const activeDeadline: DecisionFlag = {
  number: 2,
  name: "ActiveDeadline",
  since: "0.1.0",
  about:
    "A pod that is active for longer than its `activeDeadlineSeconds` fails with DeadlineExceeded, and its containers are stopped. Without it the field was read and did nothing."
}

export const killUnknown: DecisionFlag = {
  number: 3,
  name: "KillUnknown",
  since: "0.1.0",
  about:
    "A container whose state the runtime itself does not know (CONTAINER_UNKNOWN) is stopped and, where its policy says so, started again. Without it such a container was left alone."
}

export const preemption: DecisionFlag = {
  number: 4,
  name: "Preemption",
  since: "0.1.0",
  about:
    "A pod that does not fit preempts pods of lower priority, and is admitted when they have ended. Without it it was rejected."
}

export const queuedPulls: DecisionFlag = {
  number: 5,
  name: "QueuedPulls",
  since: "0.1.0",
  about:
    "An image that is to be pulled waits for its turn (ImagePullQueued), and its pull has started when the runtime is asked; what cannot be pulled is told in kubelet's words. Without it a pull had started as soon as it was decided."
}

export const podConditions: DecisionFlag = {
  number: 6,
  name: "PodConditions",
  since: "0.1.0",
  about:
    "A condition whose reason or message alone changes keeps the time of its last transition (`since`), and pods with rules that restart all containers have the condition AllContainersRestarting. Without it every change was a transition, and there was no such condition."
}

export const leastGracePeriod: DecisionFlag = {
  number: 7,
  name: "LeastGracePeriod",
  since: "0.1.0",
  about:
    "A pod whose grace period is 0 ends within 1 s, so that its preStop hooks are begun, as with kubelet. Without it they were not run."
}

export const readyWhileStopping: DecisionFlag = {
  number: 8,
  name: "ReadyWhileStopping",
  since: "0.1.0",
  about:
    "A container that is being stopped is ready for as long as it runs and its readiness probe, which goes on, says so, as with kubelet. Without it it was unready from the moment that its stop was asked for."
}

export const configRetry: DecisionFlag = {
  number: 9,
  name: "ConfigRetry",
  since: "0.1.0",
  about:
    "A container that waits for what its definition refers to (CreateContainerConfigError) is tried again every 10 s, as kubelet does. Without it the pauses grew to 300 s."
}

export const inPlaceResize: DecisionFlag = {
  number: 10,
  name: "InPlaceResize",
  since: "0.1.0",
  about:
    "A manifest that keeps the uid of its running pod and asks for other resources resizes the pod in place; what else it changes is refused and told. Without it a definition with the uid of the running pod changed nothing but its ephemeral containers."
}

export const inPlaceUpdates: DecisionFlag = {
  number: 11,
  name: "InPlaceUpdates",
  since: "0.1.0",
  about:
    "Labels, annotations and a nearer deadline of a pod whose manifest gives its uid change while it runs (PodUpdated). Without it such a change did nothing."
}

export const podScheduled: DecisionFlag = {
  number: 12,
  name: "PodScheduled",
  since: "0.1.0",
  about:
    "A pod has the condition PodScheduled from its admission on, as kubelet tells it. Without it there was no such condition."
}

export const growingRetries: DecisionFlag = {
  number: 13,
  name: "GrowingRetries",
  since: "0.1.0",
  about:
    "The pauses between attempts to stop a container or a sandbox, or to remove what is left of a pod, grow from 1 s to 10 s: a request carries how many failed before it. Without it each failure was taken for the first, and the next attempt came after 1 s for ever."
}

/** All of them, in order of their numbers. */
export const decisionFlags: ReadonlyArray<DecisionFlag> = [
  restartAfterOwnKill,
  activeDeadline,
  killUnknown,
  preemption,
  queuedPulls,
  podConditions,
  leastGracePeriod,
  readyWhileStopping,
  configRetry,
  inPlaceResize,
  inPlaceUpdates,
  podScheduled,
  growingRetries
]

/** The numbers of those that are in force: an input of every decision. */
export type Flags = ReadonlySet<number>

/** Before the first `NodeStarted` of a log. */
export const noFlags: Flags = new Set()
/** What a live agent decides with. */
export const knownFlags: Flags = new Set(decisionFlags.map(({ number }) => number))

export const isOn = (flags: Flags, { number }: DecisionFlag): boolean => flags.has(number)

/** Numbers of a newer program: what was decided under them cannot be decided here. */
export const unknownFlags = (numbers: Iterable<number>): ReadonlyArray<number> =>
  [...numbers].filter((number) => !knownFlags.has(number))

/** `none`, `1, 2` */
export const flagsText = (numbers: Iterable<number>): string => [...numbers].sort((a, b) => a - b).join(", ") || "none"
