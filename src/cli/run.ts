/** `chronode run`: reads flags and configuration, and hands over to the agent. */
import { hostname } from "node:os"
import { agentOptions, credentialProviderPaths, type RunFlags } from "./agent-settings.ts"
import { noConfiguration, readConfiguration } from "./configuration.ts"
import { readCredentialProviders } from "./credential-providers.ts"
import type { Execute } from "./program.ts"

export const execute: Execute<RunFlags, []> = async ({ neighbours }, flags) => {
  const configuration = flags.config === undefined ? noConfiguration : readConfiguration(flags.config)
  const told = agentOptions(flags, configuration, hostname(), await neighbours.resolveNats())
  const { providers, remarks } = readCredentialProviders(credentialProviderPaths(flags, configuration))
  const options = { ...told, registry: { ...told.registry, providers }, remarks: [...told.remarks, ...remarks] }
  const runAgent = await neighbours.runAgent()
  return await runAgent(options)
}
