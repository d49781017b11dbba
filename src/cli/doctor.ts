/** `chronode doctor`: every check with what was found and how to mend it. Exit code 1 if one fails. */
import { Effect } from "effect"
import type { Execute } from "./command.ts"
import { checkApi } from "./doctor/api.ts"
import type { Check } from "./doctor/check.ts"
import { checkConfiguration } from "./doctor/configuration.ts"
import { checkCgroups, checkClock, checkInotify, checkRights } from "./doctor/machine.ts"
import { checkNats, checkNetwork, checkRuntime } from "./doctor/neighbours.ts"
import { checkServices } from "./doctor/services.ts"
import { checkShutdown } from "./doctor/shutdown.ts"
import { checkDataDir } from "./doctor/storage.ts"
import { exitCodes } from "./exit.ts"
import { type NatsConnectionFlags, natsOptions } from "./nats-flags.ts"
import type { Neighbours } from "./neighbours.ts"
import type { ProxyFlags } from "./proxy/settings.ts"
import { socketOf } from "./run/agent-settings.ts"
import type { ApiFlags } from "./run/api-settings.ts"
import { oneLine, painter } from "./text.ts"

interface DoctorFlags extends NatsConnectionFlags, ProxyFlags, ApiFlags {
  readonly cri: string
  readonly config?: string
  readonly dataDir: string
  readonly cniConfDir: string
  readonly cniBinDir?: string
  readonly output: "text" | "json"
}

const checkAll = (neighbours: Neighbours, flags: DoctorFlags, now: number): Effect.Effect<ReadonlyArray<Check>> =>
  Effect.gen(function* () {
    const [runtime, nats, services] = yield* Effect.all(
      [
        checkRuntime(neighbours, socketOf(flags.cri)),
        flags.nats === false ? Effect.succeed([]) : Effect.map(checkNats(neighbours, natsOptions(flags)), (c) => [c]),
        checkServices(neighbours, flags)
      ],
      { concurrency: 3 }
    )
    return [
      ...checkRights(),
      ...runtime.checks,
      ...checkNetwork(runtime.networkReady, flags.cniConfDir, flags.cniBinDir),
      checkCgroups(),
      checkInotify(),
      ...services,
      ...nats,
      ...checkDataDir(flags.dataDir),
      ...(flags.config === undefined ? [] : checkConfiguration(flags.config, flags.dataDir)),
      ...(yield* checkShutdown(neighbours, flags.config)),
      ...(yield* checkApi(neighbours, flags, now)),
      checkClock(now)
    ]
  })

const colours = { ok: "green", warn: "yellow", fail: "red" } as const

export const execute: Execute<DoctorFlags, []> = async ({ neighbours, terminal }, flags) => {
  const checks = await Effect.runPromise(checkAll(neighbours, flags, terminal.now()))
  const failed = checks.filter((check) => check.status === "fail").length
  if (flags.output === "json") {
    terminal.out(`${JSON.stringify({ healthy: failed === 0, checks }, null, 2)}\n`)
  } else {
    const paint = painter(terminal.colours)
    const width = Math.max(...checks.map((check) => check.name.length))
    for (const { name, status, found, mend } of checks) {
      terminal.out(`${paint(colours[status], status.padEnd(4))}  ${name.padEnd(width)}  ${oneLine(found)}\n`)
      if (mend !== undefined) terminal.out(`${" ".repeat(width + 8)}→ ${oneLine(mend)}\n`)
    }
  }
  return failed === 0 ? exitCodes.good : exitCodes.failed
}
