/** The part of the plan that runs lifecycle hooks (`pkg/kubelet/lifecycle/handlers.go`). */
import { timestamp } from "../../../events/definition.ts"
import type { LifecycleHandler, Pod } from "../../../events/pod-spec.ts"
import { describeTarget, type Ports, type Target, targetOf } from "../../probe/target.ts"
import type { PodDecision } from "../evolve.ts"
import { type ContainerInState, containerSpec, type HookType, isAlive, type PodState } from "../state.ts"

/** Numbers of a container's named ports. */
export const portsOf = (pod: Pod, container: string): Ports =>
  Object.fromEntries(
    (containerSpec(pod, container)?.ports ?? []).flatMap((p) =>
      p.name === undefined ? [] : [[p.name, p.containerPort]]
    )
  )

/** What a hook asks of the container; a sleep asks nothing. */
export const hookTarget = (state: PodState, container: string, handler: LifecycleHandler): Target =>
  targetOf(handler, state.sandbox?.ips[0] ?? "127.0.0.1", portsOf(state.definition!.pod, container))

export const startHook = (
  d: PodDecision,
  c: ContainerInState,
  hook: HookType,
  handler: LifecycleHandler,
  because: string
): void => {
  const { sleep } = handler
  d.emit(
    {
      _tag: "ContainerHookStarted",
      container: c.name,
      containerId: c.containerId,
      hook,
      target: sleep === undefined ? describeTarget(hookTarget(d.state, c.name, handler)) : `sleep ${sleep.seconds} s`,
      ...(sleep === undefined ? {} : { until: timestamp(d.at + sleep.seconds * 1000) })
    },
    because
  )
}

/** A container that has just started runs its postStart hook; a sleep ends when its time has come. */
export const planHooks = (d: PodDecision): void => {
  for (const c of d.state.containers) {
    if (c.status !== "running" && c.hooks === undefined) continue
    for (const [hook, run] of Object.entries(c.hooks ?? {}) as ReadonlyArray<
      [HookType, NonNullable<typeof c.hooks>[HookType]]
    >) {
      if (run?.status !== "running" || !isAlive(c) || run.until === undefined || run.until > d.at) continue
      d.emit(
        {
          _tag: "ContainerHookEnded",
          container: c.name,
          containerId: c.containerId,
          hook,
          outcome: "succeeded",
          output: "",
          timedOut: false,
          duration: d.at - run.at
        },
        run.because
      )
    }
    const handler = containerSpec(d.state.definition!.pod, c.name)?.lifecycle?.postStart
    if (handler === undefined || c.status !== "running" || c.hooks?.PostStart !== undefined) continue
    startHook(d, c, "PostStart", handler, c.startedBecause)
  }
}
