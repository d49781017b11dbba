/** All groups of conformance cases. */
import type { Fields } from "../manifests.ts"
import type { ConformanceGroup } from "./case.ts"
import { aliases, containers } from "./containers.ts"
import { emptyDir } from "./empty-dir.ts"
import { environments, objects as ofEnvironment } from "./environment.ts"
import { groupVolumes, objects as ofVolumes, volumes } from "./volumes.ts"

export const groups: ReadonlyArray<ConformanceGroup> = [
  ...[emptyDir, containers, aliases, environments],
  ...[volumes, groupVolumes]
]
/** What the pods refer to. */
export const objects: ReadonlyArray<Fields> = [...ofVolumes, ...ofEnvironment]
