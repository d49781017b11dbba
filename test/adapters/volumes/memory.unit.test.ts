import { Context, Effect } from "effect"
import { make, VolumesControl } from "../../../src/adapters/volumes/memory.ts"
import { Volumes } from "../../../src/adapters/volumes/port.ts"
import { volumesContract } from "./volumes-contract.ts"

volumesContract(
  "the host in memory",
  Effect.map(make, (services) => {
    const control = Context.get(services, VolumesControl)
    return {
      volumes: Context.get(services, Volumes),
      free: "/free",
      put: control.put,
      read: (path: string) => Effect.map(control.file(path), (file) => file && new TextDecoder().decode(file.data)),
      exists: (path: string) => Effect.map(control.paths, (paths) => paths.includes(path))
    }
  })
)
