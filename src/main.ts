/** The command line's entry: nothing but wiring. The commands are in src/cli/, one file each. */
import { runtimeName } from "./adapters/host/runtime.ts"
import type { Neighbours } from "./cli/neighbours.ts"
import { main } from "./cli/program.ts"
import { processTerminal } from "./cli/terminal.ts"

/** Live code is loaded when a command asks for it: the others need not wait for it. */
const neighbours: Neighbours = {
  runtimeName: runtimeName(),
  watchReader: async () => (await import("./adapters/host/reader.ts")).readerWatch(1),
  runAgent: async () => (await import("./agent/agent.ts")).runAgent,
  openRuntime: async () => (await import("./adapters/cri/live.ts")).CriRuntime.make,
  openDataplane: async () => (await import("./agent/dataplanes.ts")).openDataplane,
  otherProxies: async () => (await import("./adapters/dataplane/others.ts")).otherProxies,
  examineApi: async () => (await import("./adapters/api/examine.ts")).examineApi,
  probeLogind: async () =>
    (await import("./adapters/logind/live.ts")).liveLogind(process.env.DBUS_SYSTEM_BUS_ADDRESS).inhibit,
  readLog: async () => (await import("./adapters/logs/read.ts")).readLog,
  runProcess: async () => (await import("./adapters/streaming/process.ts")).runProcess,
  connectPort: async () => (await import("./adapters/streaming/port-connection.ts")).connectPort,
  resolveNats: async () => (await import("./adapters/nats/connection.ts")).targetFromProcess,
  probeNats: async () => (await import("./adapters/nats/probe.ts")).probeServer,
  readNats: async () => (await import("./adapters/nats/read.ts")).readEvents,
  readHeads: async () => (await import("./adapters/nats/heads.ts")).readHeads,
  openTraces: async () => (await import("./adapters/otel/live.ts")).openExporters.traces,
  playNats: async () => (await import("./adapters/nats/playback.ts")).openPlayback
}

process.exit(await main(process.argv.slice(2), { terminal: processTerminal(), neighbours }))
