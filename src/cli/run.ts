/** `chronode run`: reads flags and configuration, and hands over to the agent. */
import { hostname } from "node:os"
import process from "node:process"
import type { Execute } from "./command.ts"
import { noConfiguration, readConfiguration } from "./configuration/configuration.ts"
import { ipFamilies } from "./proxy/families.ts"
import { proxyFlags, proxyOptions, readProxy } from "./proxy/settings.ts"
import { agentOptions, credentialProviderPaths, type RunFlags } from "./run/agent-settings.ts"
import { readCredentialProviders } from "./run/credential-providers.ts"
import { otelOptions } from "./run/otel-settings.ts"

export const execute: Execute<RunFlags, []> = async ({ neighbours }, flags) => {
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
