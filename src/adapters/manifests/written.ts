/** A pod between reading and validation. */
import type { Container, EphemeralContainer, Pod, PodSpec } from "../../events/pod-spec.ts"

/** A pod as it was read: every field may be missing, what is there has the right type. */
export interface WrittenPod {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata?: Partial<Pod["metadata"]>
  readonly spec?: Partial<Omit<PodSpec, "containers" | "initContainers" | "ephemeralContainers" | "volumes">> & {
    readonly containers?: ReadonlyArray<Partial<Container>>
    readonly initContainers?: ReadonlyArray<Partial<Container>>
    readonly ephemeralContainers?: ReadonlyArray<Partial<EphemeralContainer>>
    readonly volumes?: ReadonlyArray<WrittenVolume>
  }
}
export interface WrittenVolume {
  readonly name?: string
  readonly emptyDir?: { readonly medium?: string; readonly sizeLimit?: string }
  readonly hostPath?: { readonly path?: string; readonly type?: string }
}

/** Takes the path of a field and what is wrong with it. */
export type Complain = (field: string, message: string) => void
