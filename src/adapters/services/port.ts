/**
 * Where Services and EndpointSlices come from where there is no API server: a directory of manifests, as actors see it.
 *
 * The implementations stand in src/adapters/manifests/services, beside the reader of pods; what each must keep in
 * test/adapters/manifests/services/services-contract.ts.
 */
import { Context, type Effect, type Stream } from "effect"
import type { EndpointFacts, IpFamily, Protocol, ServiceSpec } from "../../events/service-shape.ts"
import type { IgnoredField, ManifestProblem } from "../manifests/port.ts"

export interface DeclaredService {
  readonly namespace: string
  readonly name: string
  /** Full path of the file that declares it. */
  readonly file: string
  /** Of its `metadata.name`, 1-based. */
  readonly line?: number
  /** SHA-256 of the declaration, hex. */
  readonly hash: string
  /** After defaults; what nobody gave (cluster IPs, node ports) is absent. */
  readonly spec: ServiceSpec
  readonly labels: Readonly<Record<string, string>>
}

export interface SlicePort {
  readonly name: string
  readonly protocol: Protocol
  readonly port: number
}

export interface SliceEndpoint extends EndpointFacts {
  /** In the one form that is usual for the family (RFC 5952). */
  readonly address: string
}

/** An endpoint that cannot be used, while the others of its slice are. */
export interface BadEndpoint {
  readonly address: string
  readonly line?: number
  /** `endpoints[3].addresses[0]` */
  readonly field: string
  readonly message: string
}

export interface DeclaredSlice {
  readonly namespace: string
  readonly name: string
  /** Label kubernetes.io/service-name. */
  readonly service: string
  readonly family: IpFamily
  readonly ports: ReadonlyArray<SlicePort>
  readonly endpoints: ReadonlyArray<SliceEndpoint>
  readonly bad: ReadonlyArray<BadEndpoint>
  readonly file: string
  readonly line?: number
  readonly hash: string
}

export interface ServicesFile {
  /** Full path. */
  readonly file: string
  /** SHA-256 of the content, hex; empty where it was not read. */
  readonly hash: string
  /** How many Services and EndpointSlices it declares now. */
  readonly objects: number
  readonly problems: ReadonlyArray<ManifestProblem>
  readonly ignoredFields: ReadonlyArray<IgnoredField>
}

/**
 * `Unreadable` says nothing of the files. A broken edit leaves what its file declared before. Objects of files that are as
 * they were at the last scan are the same objects (`===`), so that comparing all is cheap.
 */
export type ServicesSnapshot =
  | {
      readonly _tag: "Readable"
      readonly directory: string
      readonly files: ReadonlyArray<ServicesFile>
      readonly services: ReadonlyArray<DeclaredService>
      readonly slices: ReadonlyArray<DeclaredSlice>
    }
  | { readonly _tag: "Unreadable"; readonly directory: string; readonly message: string }

export class ServiceManifests extends Context.Service<
  ServiceManifests,
  {
    readonly directory: string
    /** Reads the directory now. Files whose content is known are not parsed again. */
    readonly scan: Effect.Effect<ServicesSnapshot>
    /** A tick whenever a scan is due: at once, after changes (debounced), and every `fileCheckMillis`. Never ends. */
    readonly changes: Stream.Stream<void>
  }
>()("chronode/ServiceManifests") {}

/** Services and EndpointSlices of one directory that are taken; what is beyond is a problem of its file. */
export const maxServices = 50_000
export const maxEndpoints = 250_000
