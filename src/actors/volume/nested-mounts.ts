/**
 * Directories in a volume on which a container mounts others of its volumes (`pkg/volume/util/nested_volumes.go`): where
 * the volume is read-only to the container, its runtime cannot make them.
 */
import { posix } from "node:path"
import { allContainers, type PolicyPod } from "../pod/spec-extension.ts"

/** Relative to the volume, the outermost ones only. */
export const nestedMounts = (pod: PolicyPod, volume: string): ReadonlyArray<string> => {
  const found = new Set<string>()
  for (const container of allContainers(pod.spec)) {
    const mounts = (container.volumeMounts ?? []).map(({ name, mountPath }) => ({
      name,
      path: posix.normalize(mountPath).replace(/(?<=.)\/+$/u, "")
    }))
    const paths = mounts.map(({ path }) => path).sort()
    for (const own of mounts) {
      if (own.name !== volume) continue
      const root = own.path === "/" ? "/" : `${own.path}/`
      let before: string | undefined
      for (const path of paths) {
        if (!path.startsWith(root) || path === own.path) continue
        if (before !== undefined && path.startsWith(before)) continue
        before = `${path}/`
        found.add(path.slice(root.length))
      }
    }
  }
  return [...found].sort()
}
