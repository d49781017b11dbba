/** Which kernel parameters a pod may set (`pkg/kubelet/sysctl`): the safe ones, and those that the node's owner allows. */
import { Result } from "effect"
import type { PodSpec } from "../../../events/pod-spec.ts"
import {
  dottedSysctl,
  isSysctlPattern,
  maxSysctlName,
  type SysctlNamespace,
  sysctlNamespace
} from "../../../events/sysctl-name.ts"
import type { Refusal } from "../admission/refusal.ts"

/** Namespaced, and without influence on other pods. `kernel`: the first version that has it in a namespace. */
const safe: ReadonlyArray<{ readonly name: string; readonly kernel?: readonly [major: number, minor: number] }> = [
  { name: "kernel.shm_rmid_forced" },
  { name: "net.ipv4.ip_local_port_range" },
  { name: "net.ipv4.tcp_syncookies" },
  { name: "net.ipv4.ping_group_range" },
  { name: "net.ipv4.ip_unprivileged_port_start" },
  { name: "net.ipv4.ip_local_reserved_ports", kernel: [3, 16] },
  { name: "net.ipv4.tcp_keepalive_time", kernel: [4, 5] },
  { name: "net.ipv4.tcp_fin_timeout", kernel: [4, 6] },
  { name: "net.ipv4.tcp_keepalive_intvl", kernel: [4, 5] },
  { name: "net.ipv4.tcp_keepalive_probes", kernel: [4, 5] },
  { name: "net.ipv4.tcp_rmem", kernel: [4, 15] },
  { name: "net.ipv4.tcp_wmem", kernel: [4, 15] }
]

/** `kernel`: `6.1.0-26-amd64`. Of a kernel whose version cannot be read only what every one has is safe. */
export const safeSysctls = (kernel: string): ReadonlyArray<string> => {
  const [, major, minor] = /^(\d+)\.(\d+)/u.exec(kernel) ?? []
  const version = Number(major ?? 0) * 1000 + Number(minor ?? 0)
  return safe.filter(({ kernel: [a, b] = [0, 0] }) => version >= a * 1000 + b).map(({ name }) => name)
}

/** What is wrong with a list of allowed names and prefixes (`net.core.*`): the first that is no pattern, or in no namespace. */
export const allowlistProblem = (patterns: ReadonlyArray<string>): string | undefined => {
  for (const pattern of patterns) {
    if (!isSysctlPattern(pattern))
      return `${JSON.stringify(pattern)} is no sysctl of at most ${maxSysctlName} characters, and no prefix with * behind it`
    if (sysctlNamespace(prefixOf(pattern).prefix) === undefined)
      return `the sysctl ${JSON.stringify(pattern)} is not known to be namespaced`
  }
  return undefined
}

const prefixOf = (pattern: string): { readonly prefix: string; readonly isWhole: boolean } => {
  const dotted = dottedSysctl(pattern)
  return dotted.endsWith("*") ? { prefix: dotted.slice(0, -1), isWhole: false } : { prefix: dotted, isWhole: true }
}

const hostNamespace = (spec: PodSpec, namespace: SysctlNamespace | undefined): boolean =>
  (namespace === "IPC" && spec.hostIPC === true) || (namespace === "Net" && spec.hostNetwork === true)

/** `allowed`: names and prefixes. Fails with what speaks against it. */
const check = (spec: PodSpec, written: string, allowed: ReadonlyArray<string>): Result.Result<void, string> => {
  const name = dottedSysctl(written)
  const patterns = allowed.map(prefixOf)
  const match =
    patterns.find(({ prefix, isWhole }) => isWhole && prefix === name) ??
    patterns.find(({ prefix, isWhole }) => !isWhole && name.startsWith(prefix))
  if (match === undefined) return Result.fail(`${JSON.stringify(name)} not allowlisted`)
  const namespace = sysctlNamespace(match.prefix)
  return hostNamespace(spec, namespace)
    ? Result.fail(`${JSON.stringify(name)} not allowed with host ${namespace} enabled`)
    : Result.void
}

/** `allowed`: absent where nobody looked. */
export const sysctlRefusal = (spec: PodSpec, allowed: ReadonlyArray<string> | undefined): Refusal | undefined => {
  if (allowed === undefined) return undefined
  for (const [i, { name }] of (spec.securityContext?.sysctls ?? []).entries()) {
    const checked = check(spec, name, allowed)
    if (Result.isFailure(checked)) {
      const message = `forbidden sysctl: ${checked.failure}`
      return { reason: "SysctlForbidden", message, field: `spec.securityContext.sysctls[${i}].name` }
    }
  }
  return undefined
}
