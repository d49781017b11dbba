/** The kernel's cgroups, by its files; slices by systemd where that is the driver. */
import { Effect, Layer } from "effect"
import { checkPath, toCgroupError } from "./files.ts"
import { findHierarchies, type Hierarchies } from "./hierarchies.ts"
import { CgroupError, Cgroups, type CgroupValues } from "./port.ts"
import { removeCgroupTree } from "./removal.ts"
import { isSlice, isSystemdBooted, notBooted, type Slices, systemdSlices } from "./systemd.ts"
import { existsV1, makeV1, memoryUsageV1, readV1, setV1 } from "./v1.ts"
import { existsV2, makeV2, memoryUsageV2, readV2, setV2 } from "./v2.ts"

export interface CgroupsOptions {
  /** A v2 hierarchy to use instead of what the host has mounted. */
  readonly root?: string
}

/** Attempts to remove a cgroup: the kernel frees a dead process's cgroup a moment late. */
const removeAttempts = 20
const removePause = "50 millis"

interface Files {
  readonly exists: (cgroup: string) => Promise<boolean>
  readonly make: (cgroup: string) => Promise<boolean>
  readonly set: (cgroup: string, values: CgroupValues) => Promise<void>
  readonly read: (cgroup: string) => Promise<CgroupValues>
  readonly memoryUsage: (cgroup: string) => Promise<number | undefined>
}

const filesOf = ({ version, controllers }: Hierarchies): Files =>
  version === "v1"
    ? {
        exists: (cgroup) => existsV1(controllers, cgroup),
        make: (cgroup) => makeV1(controllers, cgroup),
        set: (cgroup, values) => setV1(controllers, cgroup, values),
        read: (cgroup) => readV1(controllers, cgroup),
        memoryUsage: (cgroup) => memoryUsageV1(controllers, cgroup)
      }
    : {
        exists: (cgroup) => existsV2(controllers, cgroup),
        make: (cgroup) => makeV2(controllers, cgroup),
        set: (cgroup, values) => setV2(controllers, cgroup, values),
        read: (cgroup) => readV2(controllers, cgroup),
        memoryUsage: (cgroup) => memoryUsageV2(controllers, cgroup)
      }

/** systemd's slices of this host; refuses where systemd is not the init system. */
const slicesOf = ({ version, controllers, mountPoints }: Hierarchies, cgroup: string): Slices => {
  if (version === "none" || !isSystemdBooted()) {
    throw new CgroupError({ reason: "Unsupported", operation: "find systemd", path: cgroup, message: notBooted })
  }
  return systemdSlices(version, controllers.get("systemd") ?? controllers.values().next().value ?? mountPoints[0]!)
}

export const makeCgroups = (hierarchies: Hierarchies): Cgroups["Service"] => {
  const files = filesOf(hierarchies)
  const call = <A>(operation: string, cgroup: string, run: () => Promise<A>): Effect.Effect<A, CgroupError> =>
    Effect.tryPromise({
      try: async () => {
        checkPath(operation, cgroup)
        if (hierarchies.controllers.size > 0) return await run()
        const message = "this host has no cgroup hierarchy with a controller that limits pods"
        throw new CgroupError({ reason: "Unsupported", operation, path: cgroup, message })
      },
      catch: (error) => toCgroupError(operation, cgroup, error)
    })
  const update = async (cgroup: string, values: CgroupValues): Promise<void> => {
    if (isSlice(cgroup)) await slicesOf(hierarchies, cgroup).set(cgroup, values)
    await files.set(cgroup, values)
  }
  return Cgroups.of({
    version: hierarchies.version,
    exists: (cgroup) => call("look at", cgroup, () => files.exists(cgroup)),
    ensure: (cgroup, values) =>
      call("make", cgroup, async () => {
        const isStarted = isSlice(cgroup) ? await slicesOf(hierarchies, cgroup).start(cgroup) : false
        const isMade = await files.make(cgroup)
        await update(cgroup, values)
        return isStarted || isMade
      }),
    update: (cgroup, values) => call("set", cgroup, () => update(cgroup, values)),
    read: (cgroup) => call("read", cgroup, () => files.read(cgroup)),
    memoryUsage: (cgroup) => call("read", cgroup, () => files.memoryUsage(cgroup)),
    remove: (cgroup) =>
      Effect.tryPromise({
        try: async () => {
          checkPath("remove", cgroup)
          if (isSlice(cgroup) && isSystemdBooted()) await slicesOf(hierarchies, cgroup).stop(cgroup)
          await removeCgroupTree(hierarchies.mountPoints, cgroup)
        },
        catch: (error) => toCgroupError("remove", cgroup, error)
      }).pipe(
        Effect.catchIf(
          ({ reason }) => reason === "Busy",
          (error) => Effect.flatMap(Effect.sleep(removePause), () => Effect.fail(error))
        ),
        Effect.retry({ times: removeAttempts, while: ({ reason }) => reason === "Busy" })
      )
  })
}

export const layer = (options: CgroupsOptions = {}): Layer.Layer<Cgroups> =>
  Layer.effect(
    Cgroups,
    Effect.map(
      Effect.promise(() => findHierarchies(options.root)),
      makeCgroups
    )
  )
