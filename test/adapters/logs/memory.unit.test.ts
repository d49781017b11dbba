import { Context, Effect } from "effect"
import { LogsControl, make } from "../../../src/adapters/logs/memory.ts"
import { ContainerLogs } from "../../../src/adapters/logs/port.ts"
import { logsContract } from "./logs-contract.ts"

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

logsContract(
  "the logs in memory",
  Effect.map(make, (services) => {
    const control = Context.get(services, LogsControl)
    return {
      logs: Context.get(services, ContainerLogs),
      directory: "/logs",
      write: control.write,
      files: Effect.map(control.files, (files) => files.map(nameOf)),
      links: (directory: string) =>
        Effect.map(control.links, (links) =>
          Object.fromEntries(
            [...links].filter(([at]) => at.startsWith(`${directory}/`)).map(([at, to]) => [nameOf(at), to])
          )
        )
    }
  })
)
