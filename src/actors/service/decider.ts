/** What becomes of a Service. A change that cannot be served leaves the former declaration in force. */
import type { ServiceProblem } from "../../events/kinds/service.ts"
import type { Decided, Decider } from "../kernel/behavior.ts"
import { Decision } from "../kernel/decision.ts"
import { isEqual } from "../kernel/json.ts"
import { proxyActor } from "../proxy/identity.ts"
import { type DeclareService, type RejectEndpoints, type ReportProgrammed, ServiceCommand } from "./commands.ts"
import { complaintOf, evolveService, initialService, type ServiceEvent, type ServiceState } from "./state.ts"

type ServiceDecision = Decision<ServiceState, ServiceEvent>

const decide = (state: ServiceState, command: ServiceCommand): ReadonlyArray<Decided<ServiceEvent>> => {
  const d: ServiceDecision = new Decision(state, evolveService, command.at)
  switch (command._tag) {
    case "DeclareService":
      declare(d, command)
      break
    case "RemoveService": {
      const known = state.declared ?? state.rejected
      if (known !== null) d.emit({ _tag: "ServiceRemoved", file: known.file })
      break
    }
    case "ReportProgrammed":
      learnProgrammed(d, command)
      break
    case "RejectEndpoints":
      rejectEndpoints(d, command)
      break
  }
  return d.decided
}

const isSameProblem = (a: ServiceProblem, b: ServiceProblem | undefined): boolean =>
  a.field === b?.field && a.message === b?.message && a.holder === b?.holder && a.line === b?.line

const declare = (d: ServiceDecision, command: DeclareService): void => {
  const { spec, file, hash, allotted, problems = [] } = command
  const { declared, rejected } = d.state
  if (problems.length > 0) {
    const isKnown =
      rejected?.hash === hash &&
      rejected.file === file &&
      rejected.problems.length === problems.length &&
      rejected.problems.every((problem, i) => isSameProblem(problem, problems[i]))
    if (!isKnown) d.emit({ _tag: "ServiceRejected", file, hash, problems })
    return
  }
  const isInForce =
    declared !== null &&
    declared.hash === hash &&
    declared.file === file &&
    isEqual(declared.spec, spec) &&
    isEqual(declared.allotted ?? [], allotted ?? [])
  // A change that was rejected and taken back ends with what is in force.
  if (isInForce && rejected === null) return
  d.emit({
    _tag: declared === null ? "ServiceDeclared" : "ServiceChanged",
    spec,
    file,
    hash,
    ...(allotted === undefined || allotted.length === 0 ? {} : { allotted })
  })
}

/** After a restart all of it is reported as added: the digest says whether anything is other than it was. */
const learnProgrammed = (d: ServiceDecision, { _tag, at, ...told }: ReportProgrammed): void => {
  const { declared, programmed } = d.state
  // Of one that is gone only the going counts.
  const isNews =
    declared === null
      ? told.removed.length > 0
      : programmed === null || told.digest === undefined || programmed.digest !== told.digest
  if (isNews) d.emit({ _tag: "ServiceProgrammed", ...told })
}

const rejectEndpoints = (d: ServiceDecision, { slice, file, hash, endpoints }: RejectEndpoints): void => {
  for (const endpoint of endpoints) {
    if (d.state.rejectedSlices?.[slice]?.told.includes(complaintOf(endpoint)) === true) continue
    d.emit({ _tag: "EndpointRejected", slice, file, hash, ...endpoint })
  }
}

export const serviceDecider: Decider<ServiceState, ServiceCommand, ServiceEvent> = {
  kind: "service",
  stateVersion: 1,
  command: ServiceCommand as never,
  initial: () => initialService,
  decide,
  evolve: evolveService,
  finished: ({ declared, rejected }) => declared === null && rejected === null,
  supervisor: () => proxyActor
}
