/** What is known of the node: a fold of its events. Plain JSON. */
import type { Schema } from "effect"
import type { EventsOf } from "../../events/catalogue.ts"
import type { CgroupValues } from "../../events/cgroup-values.ts"
import type { nodeEvents } from "../../events/kinds/node.ts"
import type { nodeConfigurationEvents } from "../../events/kinds/node-configuration.ts"
import type { NodeDescription, nodeHealthEvents } from "../../events/kinds/node-health.ts"
import type { Decision } from "../kernel/decision.ts"
import type { NodeConditionType } from "./status/conditions.ts"
import type { TierName } from "./tiers.ts"

export type NodeActorEvent =
  | EventsOf<typeof nodeEvents>
  | EventsOf<typeof nodeHealthEvents>
  | EventsOf<typeof nodeConfigurationEvents>
export type NodeDecision = Decision<NodeState, NodeActorEvent>

export interface NodeState {
  readonly admission: "open" | "closed"
  readonly closedBecause: string
  readonly starts: number
  readonly started: {
    readonly version: string
    readonly host: string
    readonly kernel: string
    readonly architecture: string
    readonly cgroupVersion: string
    readonly bootId: string
    readonly time: string
    /** Numbers of the decision flags; absent where there were none. */
    readonly flags?: ReadonlyArray<number>
    /** Absent where an older agent did not write it down. */
    readonly podLogsDir?: string
  } | null
  readonly stopped: boolean
  /** The cgroups above the pods, by path; absent where there never were any. */
  readonly tiers?: Readonly<Record<string, TierInState>>
  /** All that follows is absent where it never was told. */
  readonly description?: typeof NodeDescription.Type
  readonly conditions?: Readonly<Partial<Record<NodeConditionType, NodeConditionInState>>>
  /** Absent: pods are taken. */
  readonly cordon?: { readonly by: string; readonly since: string; readonly because: string }
  /** The last one since the node was cordoned. */
  readonly drain?: DrainInState
  readonly inhibitor?:
    | { readonly delayLimitSeconds: number; readonly gracePeriodSeconds: number }
    | { readonly failed: string }
  readonly shutdown?: ShutdownInState
  readonly configuration?: ConfigurationInState
}

/** As it was told last. */
export interface ConfigurationInState {
  readonly file?: string
  readonly configuration: Readonly<Record<string, Schema.Json>>
  readonly logLevel: string
  readonly needsRestart: ReadonlyArray<string>
  readonly notHonoured: ReadonlyArray<string>
  /** Problems of a file that was not taken, as one text; absent: the file is right. */
  readonly rejected?: string
}

export interface NodeConditionInState {
  readonly status: boolean
  readonly reason: string
  readonly message: string
  /** RFC 3339: since when its status is this. */
  readonly since: string
}

export interface DrainInState {
  readonly status: "running" | "drained" | "failed"
  /** RFC 3339. */
  readonly startedAt: string
  readonly gracePeriodSeconds?: number
  readonly until?: string
  readonly selector?: string
  readonly because: string
}

export interface ShutdownGroupInState {
  readonly priority: number
  readonly gracePeriodSeconds: number
  readonly pods: number
}

export interface ShutdownInState {
  readonly status: "running" | "completed"
  /** The boot that goes down with it. */
  readonly bootId: string
  readonly startedAt: string
  readonly groups: ReadonlyArray<ShutdownGroupInState>
  /** The group that ends now. */
  readonly current?: {
    readonly priority: number
    readonly gracePeriodSeconds: number
    readonly startedAt: string
    readonly because: string
  }
  /** Pods whose time was over. */
  readonly left: ReadonlyArray<string>
  readonly leftCount: number
  readonly because: string
}

export interface TierInState {
  readonly tier: TierName
  readonly values: CgroupValues
  /** What setting it failed with; absent: it is set, or being set. */
  readonly failed?: string
}

export const initialNode: NodeState = { admission: "open", closedBecause: "", starts: 0, started: null, stopped: false }
