/** Settings of the node's HTTP API: flags over configuration file over defaults. */
import type { ApiOptions } from "./agent-options.ts"
import type { ChronodeConfiguration } from "./configuration.ts"
import { UsageError } from "./exit.ts"
import type { KubeletConfiguration } from "./kubelet-configuration/shape.ts"

export interface ApiFlags {
  readonly apiPort?: string
  readonly tokenAuthFile?: string
  readonly authorizationPolicyFile?: string
  readonly authenticationKubeconfig?: string
}

const portOf = (text: string): number => {
  const port = Number(text)
  if (!/^\d{1,5}$/u.test(text) || port > 65_535) throw new UsageError(`--api-port: '${text}' is no port (0 to 65535)`)
  return port
}

type Listening = Pick<KubeletConfiguration, "enableServer" | "port" | "healthzPort">

/** `told`: with all defaults. Health has a port of its own only beside a KubeletConfiguration that opens the server. */
export const apiListeners = (flags: ApiFlags, chronode: ChronodeConfiguration, told: Listening): Listening => {
  const port = flags.apiPort === undefined ? chronode.apiPort : portOf(flags.apiPort)
  return {
    enableServer: port === undefined ? told.enableServer : port !== 0,
    port: port === undefined || port === 0 ? told.port : port,
    healthzPort: told.enableServer ? told.healthzPort : 0
  }
}

export const apiOptions = (flags: ApiFlags, chronode: ChronodeConfiguration): ApiOptions => ({
  tokenAuthFile: (flags.tokenAuthFile ?? chronode.tokenAuthFile) || undefined,
  authorizationPolicyFile: (flags.authorizationPolicyFile ?? chronode.authorizationPolicyFile) || undefined,
  authenticationKubeconfig: (flags.authenticationKubeconfig ?? chronode.authenticationKubeconfig) || undefined
})
