/** What the events of a resize do to their pod's state: see evolve.ts. */
import type { EventsOf } from "../../events/catalogue.ts"
import { millis } from "../../events/definition.ts"
import type { EventMeta } from "../../events/envelope.ts"
import { resizeEvents } from "../../events/kinds/resize.ts"
import { overlaid, resourcesOf, withResources } from "./resources/pod-resources.ts"
import type { PodState, ResizeInState } from "./state.ts"

export type ResizeEvent = EventsOf<typeof resizeEvents>

const tags: ReadonlySet<string> = new Set(resizeEvents.map(({ tag }) => tag))
export const isResizeEvent = (event: { readonly _tag: string }): event is ResizeEvent => tags.has(event._tag)

/** Without a resize that is of interest any more. */
const settled = (state: PodState, resize: ResizeInState): PodState => {
  if (resize.pending !== undefined || resize.actuated !== undefined) return { ...state, resize }
  const { resize: _, ...rest } = state
  return rest
}

export const evolveResize = (before: PodState, event: ResizeEvent, meta: EventMeta): PodState => {
  const state: PodState = { ...before, because: meta.id }
  const resize: ResizeInState = { ...state.resize, because: meta.id }
  const pod = state.definition?.pod
  switch (event._tag) {
    case "ResizeRequested": {
      if (pod === undefined) return state
      const to = overlaid(resourcesOf(pod), event.to)
      return { ...state, resize: { ...resize, pending: { to, message: "", because: meta.id } } }
    }
    case "ResizeWithdrawn": {
      const { pending: _, ...rest } = resize
      return settled(state, rest)
    }
    case "ResizePending": {
      const { pending } = resize
      if (pending === undefined) return state
      const { reason, message } = event
      return { ...state, resize: { ...resize, pending: { ...pending, reason, message, because: meta.id } } }
    }
    case "ResizeAccepted": {
      if (state.definition === null || pod === undefined) return state
      const { pending: _, status: __, retry: ___, message: ____, ...rest } = resize
      const had = resourcesOf(pod)
      const definition = { ...state.definition, pod: withResources(pod, overlaid(had, event.to)) }
      return { ...state, definition, resize: { ...rest, actuated: resize.actuated ?? had, cgroupDue: true } }
    }
    case "ResizeStarted":
      return { ...state, resize: { ...resize, status: "applying" } }
    case "ResizeActuated": {
      if (pod === undefined || resize.actuated === undefined) return state
      const { status: _, retry: __, message: ___, cgroupDue: ____, ...rest } = resize
      const now = resourcesOf(pod)
      const set = Object.fromEntries(event.containers.map((name) => [name, now.containers[name] ?? {}]))
      const { pod: ____pod, ...actuated } = overlaid(resize.actuated, { containers: set })
      const { cgroup } = event
      return {
        ...state,
        ...(cgroup === undefined ? {} : { cgroup: { path: cgroup.path, values: cgroup.to } }),
        resize: { ...rest, actuated: { ...actuated, ...(now.pod === undefined ? {} : { pod: now.pod }) } }
      }
    }
    case "ResizeFailed": {
      const retry = { failures: event.failures, at: millis(event.retryAt), because: meta.id }
      return { ...state, resize: { ...resize, status: "failed", message: event.message, retry } }
    }
    case "ResizeCompleted": {
      const { actuated: _, cgroupDue: __, status: ___, retry: ____, message: _____, ...rest } = resize
      return settled(state, rest)
    }
    case "PodUpdateRefused":
      return { ...state, updateRefused: { field: event.field, message: event.message } }
    case "PodUpdateWithdrawn": {
      const { updateRefused: _, ...rest } = state
      return rest
    }
  }
}
