/** What is known of the node's proxy: how Services are put into the kernel, and what hinders it. */
import type { EventsOf } from "../../events/catalogue.ts"
import type { EventMeta } from "../../events/envelope.ts"
import type { ListenerFailed, ProxyStarted, ProxyUnavailable, proxyEvents } from "../../events/kinds/proxy.ts"

export type ProxyEvent = EventsOf<typeof proxyEvents>

export interface StartedProxy {
  readonly mode: typeof ProxyStarted.fields.mode.Type
  readonly families: typeof ProxyStarted.fields.families.Type
  readonly nodePortAddresses: ReadonlyArray<string>
  /** RFC 3339 */
  readonly time: string
  readonly because: string
}

export interface DataplaneFailure {
  /** In a row. */
  readonly attempts: number
  readonly reason: string
  readonly message: string
  readonly services: ReadonlyArray<string>
  readonly pending: number
  /** RFC 3339 */
  readonly retryAt: string
  /** Ids of the events that told the first and the last one. */
  readonly first: string
  readonly because: string
}

/** A kernel parameter: what it was before this node first set it. */
export interface SysctlInState {
  readonly before?: string
  readonly value: string
  /** Why it could not be set. */
  readonly failure?: string
}

export interface ProxyState {
  readonly started: StartedProxy | null
  /** What the mode lacks here. */
  readonly unavailable: {
    readonly mode: string
    readonly missing: typeof ProxyUnavailable.fields.missing.Type
    readonly because: string
  } | null
  readonly failure: DataplaneFailure | null
  readonly synced: {
    readonly services: number
    readonly endpoints: number
    readonly time: string
    readonly because: string
  } | null
  readonly sysctls: Readonly<Record<string, SysctlInState>>
  /** HTTP servers that cannot listen, by server, Service and address. */
  readonly listeners: Readonly<Record<string, FailedListener>>
}

export interface ListenerFact {
  readonly server: typeof ListenerFailed.fields.server.Type
  readonly address: string
  readonly service?: string
}

export interface FailedListener extends ListenerFact {
  readonly message: string
  readonly because: string
}

export const listenerKey = ({ server, address, service }: ListenerFact): string =>
  `${server} ${service ?? ""} ${address}`

export const initialProxy: ProxyState = {
  started: null,
  unavailable: null,
  failure: null,
  synced: null,
  sysctls: {},
  listeners: {}
}

export const evolveProxy = (state: ProxyState, event: ProxyEvent, meta: EventMeta): ProxyState => {
  switch (event._tag) {
    case "ProxyStarted": {
      const { mode, families, nodePortAddresses } = event
      const started: StartedProxy = { mode, families, nodePortAddresses, time: meta.time, because: meta.id }
      return { ...state, started, unavailable: null, synced: null }
    }
    case "ProxyUnavailable":
      return { ...state, unavailable: { mode: event.mode, missing: event.missing, because: meta.id } }
    case "DataplaneSynced": {
      const { services, endpoints } = event
      return { ...state, synced: { services, endpoints, time: meta.time, because: meta.id } }
    }
    case "DataplaneFailed": {
      const { reason, message, services, pending, attempt, retryAt } = event
      const first = state.failure?.first ?? meta.id
      const told = { reason, message, services, pending, retryAt }
      return { ...state, failure: { attempts: attempt, ...told, first, because: meta.id } }
    }
    case "DataplaneRecovered":
      return { ...state, failure: null }
    case "SysctlChanged":
    case "SysctlFailed": {
      const known = state.sysctls[event.name]
      const before = known === undefined && event._tag === "SysctlChanged" ? event.before : known?.before
      const sysctl: SysctlInState = {
        ...(before === undefined ? {} : { before }),
        value: event.value,
        ...(event._tag === "SysctlFailed" ? { failure: event.message } : {})
      }
      return { ...state, sysctls: { ...state.sysctls, [event.name]: sysctl } }
    }
    case "ListenerFailed": {
      const { server, address, service, message } = event
      const failed = {
        ...{ server, address, message, because: meta.id },
        ...(service === undefined ? {} : { service })
      }
      return { ...state, listeners: { ...state.listeners, [listenerKey(event)]: failed } }
    }
    case "ListenerRecovered": {
      const { [listenerKey(event)]: _, ...listeners } = state.listeners
      return { ...state, listeners }
    }
    case "DataplaneDrifted":
    case "StaleFlowsRemoved":
      return state
  }
}
