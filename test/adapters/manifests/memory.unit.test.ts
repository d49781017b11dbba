import { Context, Effect } from "effect"
import { ManifestsControl, make } from "../../../src/adapters/manifests/memory.ts"
import { Manifests } from "../../../src/adapters/manifests/port.ts"
import { manifestsContract } from "./manifests-contract.ts"

manifestsContract(
  "the directory in memory",
  Effect.map(make({ nodeName: "n" }), (services) => {
    const control = Context.get(services, ManifestsControl)
    return {
      manifests: Context.get(services, Manifests),
      write: control.write,
      remove: control.remove,
      breakDirectory: control.setUnreadable("gone")
    }
  })
)
