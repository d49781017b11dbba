import { Context, Effect } from "effect"
import { make, ServiceManifestsControl } from "../../../../src/adapters/manifests/services/memory.ts"
import { ServiceManifests } from "../../../../src/adapters/services/port.ts"
import { servicesContract } from "./services-contract.ts"

servicesContract(
  "the directory in memory",
  Effect.map(make(), (services) => {
    const control = Context.get(services, ServiceManifestsControl)
    return {
      manifests: Context.get(services, ServiceManifests),
      write: control.write,
      remove: control.remove,
      breakDirectory: control.setUnreadable("gone")
    }
  })
)
