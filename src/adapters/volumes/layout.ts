/** Where a pod's volumes are (`pkg/kubelet/kubelet_getters.go` getPodVolumeDir): below the directory of the pod. */
import { join } from "node:path"
import type { FilesPlugin } from "./port.ts"

/** Of all pods. */
export const podsDirectory = (rootDir: string): string => join(rootDir, "pods")

/** Of all volumes of a pod. */
export const volumesDirectory = (rootDir: string, podUid: string): string =>
  join(podsDirectory(rootDir), podUid, "volumes")

export type Plugin = "empty-dir" | FilesPlugin
export const filesPlugins: ReadonlyArray<FilesPlugin> = ["configmap", "secret", "downward-api", "projected"]
/** Those whose volumes have a directory of the pod's own. */
export const plugins: ReadonlyArray<Plugin> = ["empty-dir", ...filesPlugins]

export const pluginDirectory = (plugin: Plugin): string => `kubernetes.io~${plugin}`

export const volumePath = (rootDir: string, podUid: string, plugin: Plugin, name: string): string =>
  join(volumesDirectory(rootDir, podUid), pluginDirectory(plugin), name)

/** Of the sub paths of all volumes of a pod, by volume, container and index of the mount. */
export const subPathsDirectory = (rootDir: string, podUid: string): string =>
  join(rootDir, "pods", podUid, "volume-subpaths")

/** Where a sub path of a volume is bound, for the runtime to mount. */
export const subPathTarget = (
  rootDir: string,
  of: { readonly podUid: string; readonly volume: string; readonly container: string; readonly index: number }
): string => join(subPathsDirectory(rootDir, of.podUid), of.volume, of.container, String(of.index))

/** Names become directories: nothing else than a name may get here. */
export const isName = (text: string): boolean => /^[A-Za-z0-9][-A-Za-z0-9]{0,252}$/u.test(text)
