/**
 * What the proxy tells the world over HTTP, as actors see it: metrics and health under kube-proxy's names, and a health
 * check per LoadBalancer Service with externalTrafficPolicy Local. What is told here is told to no journal: it may be lost.
 *
 * Functions without an Effect only count; they cost next to nothing and never fail.
 */
import { Context, type Effect, type Stream } from "effect"
import type { ProxyMode, RuleCount } from "../dataplane/port.ts"

/** How many changes of Services and of endpoints. */
export interface Changes {
  readonly services: number
  readonly endpoints: number
}

/** One LoadBalancer Service with a healthCheckNodePort. */
export interface HealthPort {
  readonly namespace: string
  readonly name: string
  readonly port: number
  /** Servers on this node that get the Service's traffic from outside. */
  readonly localEndpoints: number
}

/** A server of the agent, and whether it can be reached. */
export interface ListenerState {
  readonly server: "healthz" | "metrics" | "health-check"
  /** `0.0.0.0:10256`, `[::]:30000` */
  readonly address: string
  /** `namespace/name`, of a health check. */
  readonly service?: string
  /** It does not listen, and why; it is tried again. */
  readonly failure?: { readonly message: string; readonly remedy: string }
}

export class ProxyTelemetry extends Context.Service<
  ProxyTelemetry,
  {
    /** In which mode Services are served; before, /proxyMode names the one that was asked for. */
    readonly inMode: (mode: ProxyMode) => void
    /** Changes came that the kernel does not have yet. The proxy is unhealthy if something waits too long. */
    readonly queued: (changes: Changes) => void
    /** Of all changes that came, those that the kernel does not have yet. While there are any, a sync ends no waiting. */
    readonly pending: (changes: Changes) => void
    /** The kernel has what it should: a comparison with all of it (full), or changes alone. Milliseconds. */
    readonly synced: (sync: { readonly full: boolean; readonly milliseconds: number }) => void
    readonly syncFailed: (failure: { readonly full: boolean }) => void
    /** Milliseconds from the change of an endpoint or Service to the kernel's acknowledgement. */
    readonly programmed: (milliseconds: number) => void
    /** Ports of Services that have servers, but none for a policy Local on this node. */
    readonly withoutLocalServers: (ports: { readonly internal: number; readonly external: number }) => void
    /** One look for flows that lead to servers which are gone. Milliseconds. */
    readonly flowsReconciled: (look: { readonly milliseconds: number; readonly removed: number }) => void
    /** Rules in the kernel, and in the last change, by family and table (iptables only). */
    readonly rules: (counts: ReadonlyArray<RuleCount>) => void
    /** Whether the kernel has the changes that came, or they do not wait for long. */
    readonly healthy: () => boolean
    /**
     * All Services that have a health check now: others' ports are closed, new ones opened, counts taken over.
     * @param addresses of this node on which they are answered; absent: all
     */
    readonly healthPorts: (ports: ReadonlyArray<HealthPort>, addresses?: ReadonlyArray<string>) => Effect.Effect<void>
    /** State of all servers, at once and soon after changes of some. Never ends. */
    readonly listeners: Stream.Stream<ReadonlyArray<ListenerState>>
  }
>()("chronode/ProxyTelemetry") {}

/** Health checks that one node answers; what is beyond is a failure of its Service. */
export const maxHealthPorts = 2_000
