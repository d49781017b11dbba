/** A pod between reading and validation. */
import type { Container, EphemeralContainer, Pod, PodSpec, Volume } from "../../events/pod-spec.ts"

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
/** Each field of it may be missing, at any depth. */
type Written<A> =
  A extends ReadonlyArray<infer Item>
    ? ReadonlyArray<Written<Item>>
    : A extends object
      ? { readonly [Field in keyof A]?: Written<A[Field]> }
      : A
export type WrittenVolume = Written<Volume>

/** Takes the path of a field and what is wrong with it. */
export type Complain = (field: string, message: string) => void
