/** What is known of a Service: the declaration in force, one that was rejected, and what the kernel had of it last. */
import type { EventsOf } from "../../events/catalogue.ts"
import type { EventMeta } from "../../events/envelope.ts"
import type { ServiceProblem, ServiceProgrammed, serviceEvents } from "../../events/kinds/service.ts"
import type { ServiceSpec } from "../../events/service-shape.ts"

export type ServiceEvent = EventsOf<typeof serviceEvents>

export interface ServiceDeclaration {
  readonly spec: ServiceSpec
  /** Full path of the file. */
  readonly file: string
  readonly hash: string
  /** Fields that this node chose. */
  readonly allotted?: ReadonlyArray<string>
  /** Id of the event that told it. */
  readonly because: string
}

export interface RejectedDeclaration {
  readonly file: string
  readonly hash: string
  readonly problems: ReadonlyArray<ServiceProblem>
  readonly because: string
}

export interface ProgrammedService {
  readonly serving: typeof ServiceProgrammed.fields.serving.Type
  /** Of what is in the kernel: equal where that is. */
  readonly digest?: string
  /** RFC 3339 */
  readonly time: string
  readonly because: string
}

/** What was said of an EndpointSlice's endpoints that cannot be used. */
export interface RejectedSlice {
  /** Of the slice of which something was told last. */
  readonly hash: string
  readonly told: ReadonlyArray<string>
}

export interface ServiceState {
  /** When it was first declared, or refused, RFC 3339; absent: it is not there. */
  readonly since?: string
  /** In force. */
  readonly declared: ServiceDeclaration | null
  /** What the file says now, where that cannot be served. */
  readonly rejected: RejectedDeclaration | null
  readonly programmed: ProgrammedService | null
  /** By the slice's name; absent where there never was one. */
  readonly rejectedSlices?: Readonly<Record<string, RejectedSlice>>
}

export const initialService: ServiceState = { declared: null, rejected: null, programmed: null }

export const evolveService = (state: ServiceState, event: ServiceEvent, meta: EventMeta): ServiceState => {
  switch (event._tag) {
    case "ServiceDeclared":
    case "ServiceChanged": {
      const { _tag, ...declaration } = event
      return { ...known(state, meta), declared: { ...declaration, because: meta.id }, rejected: null }
    }
    case "ServiceRejected": {
      const { _tag, ...rejected } = event
      return { ...known(state, meta), rejected: { ...rejected, because: meta.id } }
    }
    case "ServiceRemoved":
      return initialService
    case "ServiceProgrammed": {
      const { serving, digest } = event
      if (state.declared === null) return state
      const programmed = { serving, ...(digest === undefined ? {} : { digest }), time: meta.time, because: meta.id }
      return { ...state, programmed }
    }
    case "EndpointRejected": {
      const { slice, hash } = event
      const told = [...(state.rejectedSlices?.[slice]?.told ?? []), complaintOf(event)].slice(-maxComplaints)
      return { ...state, rejectedSlices: { ...state.rejectedSlices, [slice]: { hash, told } } }
    }
  }
}

const known = (state: ServiceState, { time }: EventMeta): ServiceState =>
  state.since === undefined ? { ...state, since: time } : state

/** Complaints about one slice that are remembered: of more, the oldest are told again. */
const maxComplaints = 64

export const complaintOf = ({ address, message }: { readonly address: string; readonly message: string }): string =>
  `${address}: ${message}`
