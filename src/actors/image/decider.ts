/**
 * When an image is looked for, pulled, and tried again (`pkg/kubelet/images/image_manager.go`). One pull at a time; whoever
 * asks meanwhile waits for it. `Always` pulls without looking; the others look first.
 */
import { timestamp } from "../../events/definition.ts"
import type { Decided, Decider, Timer } from "../kernel/behavior.ts"
import { Decision } from "../kernel/decision.ts"
import { type Flags, isOn, queuedPulls } from "../kernel/flags.ts"
import { ImageCommand, type RequestImage } from "./commands.ts"
import { inspectFailure, invalidName, neverPulled, pullFailure } from "./failure.ts"
import { parseReference } from "./reference.ts"
import {
  evolveImage,
  type ImageEvent,
  type ImageState,
  initialImage,
  type PullPolicy,
  type WaitingPod
} from "./state.ts"

type ImageDecision = Decision<ImageState, ImageEvent>

/** Milliseconds (`pkg/kubelet/kubelet.go`: imageBackOffPeriod, MaxImageBackOff). */
const firstBackOff = 10_000
const longestBackOff = 300_000
const retryKey = "retry"

/** Milliseconds to wait after the given number of failures in a row, at least 1. */
export const backOff = (failures: number): number =>
  Math.min(longestBackOff, firstBackOff * 2 ** Math.min(failures - 1, 20))

const podsOf = (waiting: ReadonlyArray<WaitingPod>): ReadonlyArray<string> => [...new Set(waiting.map((w) => w.pod))]
const withPolicy = (d: ImageDecision, ...policies: ReadonlyArray<PullPolicy>): ReadonlyArray<WaitingPod> =>
  d.state.waiting.filter((w) => policies.includes(w.policy))

const decide = (state: ImageState, command: ImageCommand, flags: Flags): ReadonlyArray<Decided<ImageEvent>> => {
  const d = new Decision<ImageState, ImageEvent>(state, evolveImage, command.at, flags)
  const { image } = state
  switch (command._tag) {
    case "RequestImage":
      request(d, command)
      break
    case "ReleaseImage":
      if (state.waiting.some((w) => w.pod === command.pod)) d.emit({ _tag: "ImageReleased", image, pod: command.pod })
      break
    case "ImagePresent": {
      if (command.unverified === true) {
        learnAbsent(d)
        break
      }
      const served = withPolicy(d, "IfNotPresent", "Never")
      if (served.length === 0) break
      d.emit({ _tag: "ImageFound", image, imageId: command.imageId, pods: podsOf(served) }, served[0]?.because)
      break
    }
    case "ImageAbsent":
      learnAbsent(d)
      break
    case "InspectFailed": {
      const served = withPolicy(d, "IfNotPresent", "Never")
      const message = isKubeletsWords(d) ? inspectFailure(image, command.message) : command.message
      if (served.length > 0) fail(d, "ImageInspectError", message, served, served[0]?.because)
      break
    }
    case "PullTurn": {
      if (state.queued === undefined) break
      const { queued, credentials, problems } = command
      d.emit(
        {
          _tag: "ImagePullStarted",
          image,
          attempt: state.failures + 1,
          queued,
          ...(credentials.length === 0 ? {} : { credentials }),
          ...(problems.length === 0 ? {} : { problems })
        },
        state.queued
      )
      break
    }
    case "PullSucceeded": {
      const { imageId, duration, size, credentials, grant } = command
      if (state.pulling === null) break
      d.emit(
        {
          _tag: "ImagePulled",
          image,
          imageId,
          duration,
          ...(size === undefined ? {} : { size }),
          ...(credentials === undefined ? {} : { credentials }),
          ...(grant === undefined ? {} : { grant }),
          pods: podsOf(state.waiting)
        },
        state.pulling.because
      )
      break
    }
    case "PullFailed": {
      if (state.pulling === null) break
      const { reason, message } = pullFailure(image, command.message)
      fail(d, reason, message, withPolicy(d, "Always", "IfNotPresent"), state.pulling.because)
      break
    }
    case "ImageGone": {
      const { imageId } = command
      if (state.grants?.some((grant) => grant.imageId === imageId) === true) {
        d.emit({ _tag: "ImageGrantsDropped", image, imageId })
      }
      break
    }
    case "TimerFired":
      if (state.retry?.at === command.dueAt && !state.checking && !isPulled(state)) retry(d, state.retry.because)
      break
  }
  return d.decided
}

const secretsOf = (secrets: ReadonlyArray<string>) => (secrets.length === 0 ? {} : { secrets })

const request = (d: ImageDecision, { pod, policy, secrets = [] }: typeof RequestImage.Type): void => {
  const { image } = d.state
  // It waits already: for what is under way, or for the end of a back-off. The outcome is told to all.
  if (d.state.waiting.some((w) => w.pod === pod && w.policy === policy)) return
  const asked = d.emit({ _tag: "ImageRequested", image, pod, policy, ...secretsOf(secrets) })
  const reference = parseReference(image)
  if ("problem" in reference) {
    const message = isKubeletsWords(d)
      ? invalidName(image, reference.problem)
      : `image name ${JSON.stringify(image.slice(0, 300))} ${reference.problem}`
    // Trying again changes nothing.
    d.emit({ _tag: "ImagePullFailed", image, reason: "InvalidImageName", message, attempt: 1, pods: [pod] }, asked)
  } else if (policy === "Always") pull(d, asked)
}

const isKubeletsWords = (d: ImageDecision): boolean => isOn(d.flags, queuedPulls)
const isPulled = ({ queued, pulling }: ImageState): boolean => queued !== undefined || pulling !== null

const pull = (d: ImageDecision, because: string | undefined): void => {
  if (isPulled(d.state)) return
  const _tag = isOn(d.flags, queuedPulls) ? "ImagePullQueued" : "ImagePullStarted"
  d.emit({ _tag, image: d.state.image, attempt: d.state.failures + 1 }, because)
}

/** It is not there, or not for those who ask. */
const learnAbsent = (d: ImageDecision): void => {
  const { image } = d.state
  const never = withPolicy(d, "Never")
  if (never.length > 0) {
    const message = isKubeletsWords(d)
      ? neverPulled(image)
      : `image ${image} is not on the node, and is never pulled (imagePullPolicy Never)`
    fail(d, "ErrImageNeverPull", message, never, never[0]?.because)
  }
  const [first] = withPolicy(d, "IfNotPresent")
  if (first !== undefined) pull(d, first.because)
}

/** Tried again after the back-off, as long as somebody waits. */
const fail = (
  d: ImageDecision,
  reason: string,
  message: string,
  told: ReadonlyArray<WaitingPod>,
  because: string | undefined
): void => {
  const attempt = d.state.failures + 1
  const retryAt = d.state.waiting.length === 0 ? {} : { retryAt: timestamp(d.at + backOff(attempt)) }
  const pods = podsOf(told)
  d.emit({ _tag: "ImagePullFailed", image: d.state.image, reason, message, attempt, ...retryAt, pods }, because)
}

/** Pods still need it. Whoever does not insist on a pull lets it be looked for first: it may have come another way. */
const retry = (d: ImageDecision, because: string): void => {
  const [other] = withPolicy(d, "IfNotPresent", "Never")
  if (other !== undefined) {
    const { image, secrets = [] } = d.state
    d.emit({ _tag: "ImageRequested", image, pod: other.pod, policy: other.policy, ...secretsOf(secrets) }, because)
  }
  if (withPolicy(d, "Always").length > 0) pull(d, because)
}

const timers = (state: ImageState): ReadonlyArray<Timer> => {
  const { retry: again, checking } = state
  return again === null || checking || isPulled(state)
    ? []
    : [{ key: retryKey, dueAt: again.at, because: again.because }]
}

export const imageDecider: Decider<ImageState, ImageCommand, ImageEvent> = {
  kind: "image",
  stateVersion: 1,
  command: ImageCommand as never,
  initial: initialImage,
  decide,
  evolve: evolveImage,
  timers,
  finished: (state) => state.waiting.length === 0 && state.pulling === null && state.grants === undefined
}
