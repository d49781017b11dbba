/** `chronode run`: reads flags and configuration, and hands over to the agent. */
import { hostname } from "node:os"
import process from "node:process"
import type { Context, Execute } from "./command.ts"
import { noConfiguration, readConfiguration } from "./configuration/configuration.ts"
import { CommandFailed, exitCodes, UsageError } from "./exit.ts"
import { ipFamilies } from "./proxy/families.ts"
import { proxyFlags, proxyOptions, readProxy } from "./proxy/settings.ts"
import { logRefusal } from "./run/agent-log.ts"
import { agentOptions, credentialProviderPaths, type RunFlags } from "./run/agent-settings.ts"
import { readCredentialProviders } from "./run/credential-providers.ts"
import { otelOptions } from "./run/otel-settings.ts"

/**
 * Whoever asked for a log that machines read gets no other lines: what is wrong with flags and configuration is one of it.
 * (Flags that the command line does not know are told before there is a log.)
 */
export const execute: Execute<RunFlags, []> = async (context, flags) => {
  try {
    return await run(context, flags)
  } catch (error) {
    if (flags.logFormat !== "json" || !(error instanceof UsageError || error instanceof CommandFailed)) throw error
    const advice = error instanceof CommandFailed && error.advice !== undefined ? `; ${error.advice}` : ""
    logRefusal("json", `${error.message}${advice}`)
    return error instanceof UsageError ? exitCodes.usage : exitCodes.failed
  }
}

const run = async ({ neighbours }: Context, flags: RunFlags): Promise<number> => {
  const resolveNats = await neighbours.resolveNats()
  const readAll = () => {
    const configuration = flags.config === undefined ? noConfiguration : readConfiguration(flags.config)
    const toldOfProxy = proxyFlags(flags, configuration.chronode)
    const proxy = readProxy(toldOfProxy)
    const host = proxy.config.hostnameOverride?.trim() || hostname()
    return { configuration, toldOfProxy, proxy, told: agentOptions(flags, configuration, host, resolveNats) }
  }
  const { configuration, toldOfProxy, proxy, told } = readAll()
  const { providers, remarks } = readCredentialProviders(credentialProviderPaths(flags, configuration))
  const options = {
    ...told,
    registry: { ...told.registry, providers },
    otel: otelOptions(flags.otlp, configuration.chronode.otel, process.env),
    proxy: proxyOptions(toldOfProxy, proxy, ipFamilies()),
    remarks: [...told.remarks, ...remarks, ...proxy.remarks],
    reload: flags.config === undefined ? undefined : () => readAll().told
  }
  const runAgent = await neighbours.runAgent()
  return await runAgent(options)
}
