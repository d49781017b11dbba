/**
 * Node conformance tests of Kubernetes as data: what upstream's test asks of one container, asked of ours. Cases of a group
 * share pods, since what they check is the container's. scripts/generate-docs.ts reads the names for docs/conformance.md.
 */
import type { Fields } from "../manifests.ts"

export interface ConformanceCase {
  /** Upstream's name of the test, without its tags: `EmptyDir volumes should support (root,0644,tmpfs)`. */
  readonly conformance: string
  /** The container, without its name. */
  readonly container: Fields
  /** Volumes that the container mounts; their names are its own within the group. */
  readonly volumes?: ReadonlyArray<Fields>
  readonly expect: {
    /** Default 0. */
    readonly exitCode?: number
    /** Lines that are in its log, whole. A RegExp is tried on each. */
    readonly lines?: ReadonlyArray<string | RegExp>
    /** No line of its log is met. */
    readonly without?: RegExp
    /** The termination message. */
    readonly message?: string
  }
}

export interface ConformanceGroup {
  /** Of its pods, which are `NAME-0`, `NAME-1`, … */
  readonly name: string
  /** Fields of the pod beside containers and volumes. */
  readonly spec?: Fields
  readonly metadata?: Readonly<Record<string, unknown>> & { readonly uid?: string }
  readonly cases: ReadonlyArray<ConformanceCase>
}
