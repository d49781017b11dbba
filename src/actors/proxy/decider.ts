/** What is worth telling of the loop that puts Services into the kernel. What goes well again and again is not. */
import type { Decided, Decider } from "../kernel/behavior.ts"
import { Decision } from "../kernel/decision.ts"
import { isEqual } from "../kernel/json.ts"
import { ProxyCommand } from "./commands.ts"
import { evolveProxy, initialProxy, listenerKey, type ProxyEvent, type ProxyState } from "./state.ts"

type ProxyDecision = Decision<ProxyState, ProxyEvent>

const decide = (state: ProxyState, command: ProxyCommand): ReadonlyArray<Decided<ProxyEvent>> => {
  const d: ProxyDecision = new Decision(state, evolveProxy, command.at)
  switch (command._tag) {
    case "ReportStarted": {
      const { _tag, at, ...started } = command
      d.emit({ _tag: "ProxyStarted", ...started }, state.unavailable?.because)
      break
    }
    case "ReportUnavailable": {
      const { _tag, at, ...told } = command
      const { unavailable } = state
      const isKnown = unavailable?.mode === told.mode && isEqual(unavailable.missing, told.missing)
      if (!isKnown) d.emit({ _tag: "ProxyUnavailable", ...told })
      break
    }
    case "ReportSysctl":
      learnSysctl(d, command)
      break
    case "ReportSynced": {
      const { _tag, at, ...synced } = command
      const recovered = recover(d)
      d.emit({ _tag: "DataplaneSynced", ...synced }, recovered ?? state.started?.because)
      break
    }
    case "ReportDrift": {
      const { _tag, at, ...drift } = command
      if (drift.missing + drift.altered + drift.unexpected > 0) d.emit({ _tag: "DataplaneDrifted", ...drift })
      break
    }
    case "ReportFailed": {
      const { _tag, at, ...failed } = command
      d.emit({ _tag: "DataplaneFailed", ...failed }, state.failure?.because)
      break
    }
    case "ReportRecovered":
      recover(d)
      break
    case "ReportListeners":
      learnListeners(d, command)
      break
    case "ReportStaleFlows":
      if (command.count > 0) d.emit({ _tag: "StaleFlowsRemoved", count: command.count, examples: command.examples })
      break
  }
  return d.decided
}

const recover = (d: ProxyDecision): string | undefined => {
  const { failure } = d.state
  return failure === null
    ? undefined
    : d.emit({ _tag: "DataplaneRecovered", attempts: failure.attempts }, failure.because)
}

const learnSysctl = (d: ProxyDecision, command: Extract<ProxyCommand, { readonly _tag: "ReportSysctl" }>): void => {
  const { name, before, value, failure } = command
  const known = d.state.sysctls[name]
  if (failure === undefined) d.emit({ _tag: "SysctlChanged", name, ...(before === undefined ? {} : { before }), value })
  else if (known?.failure !== failure || known.value !== value)
    d.emit({ _tag: "SysctlFailed", name, value, message: failure })
}

const learnListeners = (
  d: ProxyDecision,
  { listeners }: Extract<ProxyCommand, { readonly _tag: "ReportListeners" }>
): void => {
  const failing = new Map<string, (typeof listeners)[number]>()
  const listening = new Set<string>()
  for (const listener of listeners) {
    const key = listenerKey(listener)
    if (listener.failure === undefined) listening.add(key)
    else failing.set(key, listener)
  }
  for (const [key, { because, message, ...which }] of Object.entries(d.state.listeners))
    if (!failing.has(key)) d.emit({ _tag: "ListenerRecovered", ...which, isWanted: listening.has(key) }, because)
  for (const [key, { failure, ...which }] of failing)
    if (failure !== undefined && d.state.listeners[key]?.message !== failure.message)
      d.emit({ _tag: "ListenerFailed", ...which, ...failure })
}

export const proxyDecider: Decider<ProxyState, ProxyCommand, ProxyEvent> = {
  kind: "proxy",
  stateVersion: 1,
  command: ProxyCommand as never,
  initial: () => initialProxy,
  decide,
  evolve: evolveProxy
}
