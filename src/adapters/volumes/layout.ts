/** Where a pod's volumes are (`pkg/kubelet/kubelet_getters.go` getPodVolumeDir): below the directory of the pod. */
import { join } from "node:path"

/** Of all volumes of a pod. */
export const volumesDirectory = (rootDir: string, podUid: string): string => join(rootDir, "pods", podUid, "volumes")

export const emptyDirPath = (rootDir: string, podUid: string, name: string): string =>
  join(volumesDirectory(rootDir, podUid), "kubernetes.io~empty-dir", name)

/** Names become directories: nothing else than a name may get here. */
export const isName = (text: string): boolean => /^[A-Za-z0-9][-A-Za-z0-9]{0,252}$/u.test(text)
