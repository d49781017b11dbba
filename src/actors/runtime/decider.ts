/** The runtime: what is news of it, and what nobody needs any more. */
import type { HandlerFeatures } from "../../adapters/cri/port.ts"
import type { EventMeta } from "../../events/envelope.ts"
import type { Decided, Decider } from "../kernel/behavior.ts"
import { Decision } from "../kernel/decision.ts"
import type { RuntimeCommand } from "./commands.ts"
import { RuntimeCommand as RuntimeCommandSchema } from "./commands.ts"
import { collectImages } from "./image-collection.ts"
import { learnHealth } from "./learn-health.ts"
import type { RuntimeEvent, RuntimeState } from "./state.ts"

const initial: RuntimeState = {
  status: "unknown",
  endpoint: "",
  name: "",
  version: "",
  apiVersion: "",
  events: false,
  cgroupDriver: "unknown",
  conditions: {},
  orphans: [],
  because: ""
}

type Features = Pick<RuntimeState, "handlers" | "supplementalGroupsPolicy">

const featuresOf = ({ handlers, supplementalGroupsPolicy }: Features): Features => ({
  ...(handlers === undefined ? {} : { handlers }),
  ...(supplementalGroupsPolicy === undefined ? {} : { supplementalGroupsPolicy })
})

/** An answer that does not tell says nothing new. */
const sameFeatures = (known: Features, told: Features): boolean =>
  (told.supplementalGroupsPolicy ?? known.supplementalGroupsPolicy) === known.supplementalGroupsPolicy &&
  (told.handlers === undefined || handlersText(told.handlers) === handlersText(known.handlers ?? []))

/** In the order of their names, since a runtime may keep them in a map. */
const handlersText = (handlers: ReadonlyArray<HandlerFeatures>): string =>
  handlers
    .map(({ name, recursiveReadOnlyMounts, userNamespaces }) =>
      JSON.stringify([name, recursiveReadOnlyMounts, userNamespaces])
    )
    .sort()
    .join()

const evolve = (state: RuntimeState, event: RuntimeEvent, meta: EventMeta): RuntimeState => {
  switch (event._tag) {
    case "RuntimeConnected": {
      const { endpoint, name, version, apiVersion, events, cgroupDriver } = event
      return {
        ...state,
        ...featuresOf(event),
        status: "connected",
        endpoint,
        name,
        version,
        apiVersion,
        events,
        cgroupDriver,
        because: meta.id
      }
    }
    case "RuntimeDisconnected":
      return { ...state, status: "disconnected", endpoint: event.endpoint, because: meta.id }
    case "RuntimeConditionChanged":
      return {
        ...state,
        conditions: {
          ...state.conditions,
          [event.condition]: { status: event.status, reason: event.reason, message: event.message }
        }
      }
    case "RuntimeUnhealthy":
      return { ...state, unhealthy: { message: event.message, because: meta.id } }
    case "RuntimeHealthy": {
      const { unhealthy: _, ...rest } = state
      return rest
    }
    case "OrphanSandboxFound": {
      const { sandboxId, namespace, name, uid } = event
      return { ...state, orphans: [...state.orphans, { sandboxId, namespace, name, uid }] }
    }
    case "OrphanSandboxRemoved":
      return { ...state, orphans: state.orphans.filter((o) => o.sandboxId !== event.sandboxId) }
    case "GarbageFound": {
      const { what, id, namespace, name, uid } = event
      return { ...state, garbage: [...(state.garbage ?? []), { what, id, namespace, name, uid }] }
    }
    case "GarbageRemoved":
    case "GarbageKept":
      return { ...state, garbage: (state.garbage ?? []).filter(({ id }) => id !== event.id) }
    case "ImageCollectionDecided":
      return state
    case "ImageSpaceShort":
      return { ...state, isImageSpaceShort: true }
    case "ImageSpaceRestored": {
      const { isImageSpaceShort: _, ...rest } = state
      return rest
    }
  }
}

const decide = (state: RuntimeState, command: RuntimeCommand): ReadonlyArray<Decided<RuntimeEvent>> => {
  const d = new Decision<RuntimeState, RuntimeEvent>(state, evolve, command.at)
  switch (command._tag) {
    case "RuntimeAnswered": {
      const { endpoint, name, version, apiVersion, events, cgroupDriver } = command
      const isNews =
        state.status !== "connected" ||
        state.version !== version ||
        state.events !== events ||
        state.cgroupDriver !== cgroupDriver ||
        state.endpoint !== endpoint ||
        !sameFeatures(state, command)
      const because = isNews
        ? d.emit({
            _tag: "RuntimeConnected",
            ...{ endpoint, name, version, apiVersion, events, cgroupDriver },
            ...featuresOf(command)
          })
        : undefined
      for (const { type, status, reason, message } of command.conditions) {
        const known = state.conditions[type]
        if (known?.status === status && known.reason === reason && known.message === message) continue
        if (known === undefined && status) continue
        d.emit({ _tag: "RuntimeConditionChanged", condition: type, status, reason, message }, because)
      }
      break
    }
    case "RuntimeFailed":
      if (state.status !== "disconnected") {
        d.emit({ _tag: "RuntimeDisconnected", endpoint: command.endpoint, message: command.message })
      }
      break
    case "RuntimeHealthSeen":
      learnHealth(d, command)
      break
    case "OrphanSeen": {
      const { sandboxId, namespace, name, uid } = command
      if (!state.orphans.some((o) => o.sandboxId === sandboxId)) {
        d.emit({ _tag: "OrphanSandboxFound", sandboxId, namespace, name, uid })
      }
      break
    }
    case "GarbageSeen":
      for (const found of command.found) {
        if (d.state.garbage?.some(({ id }) => id === found.id) !== true) d.emit({ _tag: "GarbageFound", ...found })
      }
      break
    case "GarbageGone":
      if (state.garbage?.some(({ id }) => id === command.id) === true) {
        d.emit({ _tag: "GarbageRemoved", what: command.what, id: command.id })
      }
      break
    case "GarbageLeft":
      if (state.garbage?.some(({ id }) => id === command.id) === true) {
        d.emit({ _tag: "GarbageKept", what: command.what, id: command.id, message: command.message })
      }
      break
    case "ImagesSurveyed":
      collectImages(d, command)
      break
    case "OrphanGone":
      if (state.orphans.some((o) => o.sandboxId === command.sandboxId)) {
        d.emit({ _tag: "OrphanSandboxRemoved", sandboxId: command.sandboxId })
      }
      break
  }
  return d.decided
}

export const runtimeDecider: Decider<RuntimeState, RuntimeCommand, RuntimeEvent> = {
  kind: "runtime",
  stateVersion: 1,
  command: RuntimeCommandSchema as never,
  initial: () => initial,
  decide,
  evolve
}
