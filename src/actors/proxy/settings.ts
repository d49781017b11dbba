/** How Services are put into the kernel, as the actors are told. Lengths of time are milliseconds. */
import { Context } from "effect"
import type { Missing, ProxyMode } from "../../adapters/dataplane/port.ts"
import type { SysctlWish } from "../../adapters/sysctl/port.ts"
import type { IpFamily } from "../../events/service-shape.ts"
import type { AllotmentRanges } from "../service/allotment.ts"
import type { Vantage } from "../service/rules/endpoint.ts"

export interface ProxySettingsShape {
  readonly vantage: Vantage
  readonly families: ReadonlyArray<IpFamily>
  /** The mode that was asked for, and what it lacks, where another one is used because the kernel cannot do it. */
  readonly insteadOf: { readonly mode: ProxyMode; readonly lacking: ReadonlyArray<Missing> } | undefined
  /** How often everything is compared with the kernel, at least. */
  readonly syncPeriod: number
  /** Least time from one change of the kernel to the next; 0: each at once. */
  readonly minSyncPeriod: number
  /** Addresses of this node on which node ports are answered, as they are now. */
  readonly nodePortAddresses: () => ReadonlyArray<string>
  /** Health checks are answered on these addresses alone; false: on all. */
  readonly healthChecksOnNodePortAddresses: boolean
  /** Settings that are not the defaults, by their name in KubeProxyConfiguration, as text. */
  readonly settings: Readonly<Record<string, string>>
  readonly ranges: AllotmentRanges
  /** Kernel parameters beside those of the mode. */
  readonly sysctls: ReadonlyArray<SysctlWish>
}

export class ProxySettings extends Context.Service<ProxySettings, ProxySettingsShape>()("chronode/ProxySettings") {}
