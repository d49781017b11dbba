/** Making, looking after and removing a pod's cgroup in the kernel. */
import { Effect } from "effect"
import { type CgroupError, Cgroups } from "../../../adapters/cgroupfs/port.ts"
import type { Pod } from "../../../events/pod-spec.ts"
import type { CommandOf } from "../commands.ts"
import { type PodCgroup, podCgroup, podCgroupPath } from "../resources/pod-cgroup.ts"
import { PodSettings } from "../settings.ts"

/** What became of it, as it stands in the command that reports a sandbox. */
export type CgroupReport = NonNullable<CommandOf<"ReportSandbox">["cgroup"]>

/** kubelet's word for a pod whose cgroup cannot be made (`pkg/kubelet/events/event.go`). */
export const failedToCreate = "FailedToCreatePodContainer"

/** kubelet names a cgroup by its components. */
const nameOf = (path: string): string =>
  `[${path
    .split("/")
    .filter((part) => part !== "")
    .join(" ")}]`

/** In kubelet's words (`kubelet.go` SyncPod). */
export const ensureFailed = (path: string, { message }: CgroupError): string =>
  `unable to ensure pod container exists: failed to create container for ${nameOf(path)} : ${message}`

/** Made now, or found and set to its values. `undefined`: the agent makes no cgroups. */
export const ensurePodCgroup = (
  pod: Pod
): Effect.Effect<
  CgroupReport | undefined,
  { readonly cgroup: PodCgroup; readonly error: CgroupError },
  Cgroups | PodSettings
> =>
  Effect.gen(function* () {
    const cgroups = yield* Cgroups
    const { facts } = yield* PodSettings
    const cgroup = podCgroup(pod, facts)
    if (cgroup === undefined) return undefined
    const isMade = yield* Effect.mapError(cgroups.ensure(cgroup.path, cgroup.values), (error) => ({ cgroup, error }))
    return { ...cgroup, made: isMade }
  })

/** Processes that are left in it are killed. */
export const removePodCgroup = (pod: Pod): Effect.Effect<void, CgroupError, Cgroups | PodSettings> =>
  Effect.gen(function* () {
    const cgroups = yield* Cgroups
    const { facts } = yield* PodSettings
    const path = podCgroupPath(pod, facts)
    if (path !== "") yield* cgroups.remove(path)
  })
