import { makeMemoryServer } from "../../../src/adapters/nats/memory.ts"
import { describeEventStream, settings } from "./event-stream-contract.ts"

describeEventStream(
  "memory",
  async () => {
    const { layer, server } = makeMemoryServer(settings)
    const noDuplicates = () => server.comeBack({ wipe: true })
    return {
      layer,
      goAway: async () => server.goAway(),
      comeBack: async (options) => server.comeBack(options),
      purge: async () => server.purge(),
      remove: async (streamSequence) => server.remove(streamSequence),
      write: async (subject, line) => server.write(subject, line),
      lines: async () => server.messages().map(({ line }) => line),
      reset: async () => noDuplicates(),
      stop: async () => server.goAway()
    }
  },
  undefined
)
