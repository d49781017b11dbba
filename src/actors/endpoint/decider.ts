/** What becomes of an endpoint: its coming and going, its readiness, its end in good order. */
import type { EndpointFacts } from "../../events/service-shape.ts"
import type { Decided, Decider } from "../kernel/behavior.ts"
import { Decision } from "../kernel/decision.ts"
import { serviceActor } from "../service/identity.ts"
import { type DesireEndpoint, EndpointCommand } from "./commands.ts"
import { serviceOfEndpoint } from "./identity.ts"
import { type Endpoint, type EndpointEvent, type EndpointState, evolveEndpoint, initialEndpoint } from "./state.ts"

type EndpointDecision = Decision<EndpointState, EndpointEvent>

const decide = (state: EndpointState, command: EndpointCommand): ReadonlyArray<Decided<EndpointEvent>> => {
  const d: EndpointDecision = new Decision(state, evolveEndpoint, command.at)
  if (command._tag === "DesireEndpoint") desire(d, command)
  else if (state !== null && (command.from === undefined || command.from === state.from)) remove(d, state)
  return d.decided
}

const which = ({ service, portName, protocol, address, port }: Endpoint | DesireEndpoint) => ({
  service,
  portName,
  protocol,
  address,
  port
})

const remove = (d: EndpointDecision, endpoint: Endpoint): void => {
  d.emit({ _tag: "EndpointRemoved", ...which(endpoint) })
}

const desire = (d: EndpointDecision, command: DesireEndpoint): void => {
  const { facts, from } = command
  const place = which(command)
  // The name of its port stands for another protocol now.
  if (d.state !== null && d.state.protocol !== command.protocol) remove(d, d.state)
  if (d.state === null) {
    d.emit({ _tag: "EndpointAdded", ...place, ...facts, from })
    return
  }
  const { ready, serving, terminating } = d.state
  if (facts.terminating && (!terminating || serving !== facts.serving))
    d.emit({ _tag: "EndpointDraining", ...place, serving: facts.serving })
  else if (!facts.terminating && (terminating || ready !== facts.ready))
    d.emit({ _tag: facts.ready ? "EndpointReady" : "EndpointUnready", ...place })
  // What the transition does not say: also conditions that usually do not come together (publishNotReadyAddresses).
  if (!isSame(d.state, facts, from)) d.emit({ _tag: "EndpointChanged", ...place, ...facts, from })
}

const isSame = (endpoint: Endpoint, facts: EndpointFacts, from: string): boolean =>
  endpoint.from === from &&
  endpoint.ready === facts.ready &&
  endpoint.serving === facts.serving &&
  endpoint.terminating === facts.terminating &&
  endpoint.node === facts.node &&
  endpoint.zone === facts.zone &&
  isSameList(endpoint.zoneHints, facts.zoneHints) &&
  isSameList(endpoint.nodeHints, facts.nodeHints)

const isSameList = (a: ReadonlyArray<string> | undefined, b: ReadonlyArray<string> | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.length === b.length && a.every((text, i) => text === b[i]))

export const endpointDecider: Decider<EndpointState, EndpointCommand, EndpointEvent> = {
  kind: "endpoint",
  stateVersion: 1,
  command: EndpointCommand as never,
  initial: () => initialEndpoint,
  decide,
  evolve: evolveEndpoint,
  finished: (state) => state === null,
  supervisor: (id) => serviceActor(id.namespace, serviceOfEndpoint(id))
}
