/** Settings of the node's HTTP API: flags over configuration file over defaults. */
import { join } from "node:path"
import type { ApiSettings, ListenerAddress } from "../../adapters/api/port.ts"
import type { ChronodeConfiguration } from "../configuration/configuration.ts"
import { UsageError } from "../exit.ts"
import type { KubeletConfiguration } from "../kubelet-configuration/shape.ts"
import { localSocket } from "../local-api.ts"
import type { AgentOptions, ApiOptions } from "./agent-options.ts"

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

/** How often files of certificates, tokens and rules are looked at for changes; milliseconds. */
const filesLookPeriod = 10_000

/** An address to listen at; undefined: none. */
const at = (host: string, port: number, isOn: boolean): ListenerAddress | undefined =>
  isOn && port > 0 ? { host, port } : undefined

/** @param names host names and addresses by which the node is reached: what its own certificate is for */
export const apiSettings = (
  { nodeName, dataDir, kubelet, api }: Pick<AgentOptions, "nodeName" | "dataDir" | "kubelet" | "api">,
  names: ReadonlyArray<string>
): ApiSettings => {
  const { enableServer } = kubelet
  const { x509, webhook, anonymous } = kubelet.authentication
  const { mode, webhook: access } = kubelet.authorization
  const hasFiles = kubelet.tlsCertFile !== "" && kubelet.tlsPrivateKeyFile !== ""
  const secure = at(kubelet.address, kubelet.port, enableServer)
  return {
    nodeName,
    socket: join(dataDir, localSocket),
    readOnly: at(kubelet.address, kubelet.readOnlyPort, enableServer),
    healthz: at(kubelet.healthzBindAddress, kubelet.healthzPort, enableServer),
    tls: secure && {
      ...secure,
      certificate: hasFiles
        ? { cert: kubelet.tlsCertFile, key: kubelet.tlsPrivateKeyFile }
        : { directory: join(dataDir, "pki"), names },
      minVersion: kubelet.tlsMinVersion,
      cipherSuites: kubelet.tlsCipherSuites,
      clientCAFile: x509.clientCAFile || undefined,
      tokenFile: api.tokenAuthFile,
      policyFile: api.authorizationPolicyFile,
      kubeconfig: api.authenticationKubeconfig,
      webhook: {
        tokens: webhook.enabled,
        access: mode === "Webhook",
        tokenTtl: webhook.cacheTTL,
        allowedTtl: access.cacheAuthorizedTTL,
        deniedTtl: access.cacheUnauthorizedTTL
      },
      anonymous: anonymous.enabled,
      alwaysAllow: mode === "AlwaysAllow",
      lookPeriod: filesLookPeriod
    }
  }
}
