/** Host name and domain of a pod (`pkg/kubelet/kubelet_pods.go` GeneratePodHostNameAndDomain). */
import { Result, Schema } from "effect"
import type { PolicyPod } from "../spec-extension.ts"

/** HOST_NAME_MAX of Linux, and the longest DNS label (RFC 1123). */
export const maxHostnameLength = 63
const maxSubdomainNameLength = 253

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/u
const name = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/u

export class HostnameInvalid extends Schema.TaggedError<HostnameInvalid>()("HostnameInvalid", {
  field: Schema.Literals(["hostname", "subdomain", "hostnameOverride"]),
  value: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `spec.${this.field} ${JSON.stringify(this.value)} ${this.problem}`
  }
}

/** Cut to 63 characters, without a dash or a dot at the end. */
export const truncateHostname = (hostname: string): string =>
  hostname.length <= maxHostnameLength ? hostname : hostname.slice(0, maxHostnameLength).replace(/[-.]+$/u, "")

const labelProblem = (text: string): string | undefined =>
  text.length > maxHostnameLength
    ? `is longer than ${maxHostnameLength} characters`
    : label.test(text)
      ? undefined
      : "is no DNS label: lower case letters, digits and '-' only, a letter or digit at both ends"

export interface PodHostname {
  readonly hostname: string
  /** Empty where the pod has no subdomain. */
  readonly domain: string
}

/** Pod name or `spec.hostname`; the domain is `<subdomain>.<namespace>.svc.<clusterDomain>`. */
export const podHostname = (pod: PolicyPod, clusterDomain: string): Result.Result<PodHostname, HostnameInvalid> => {
  const { hostname, subdomain, hostnameOverride } = pod.spec
  const refuse = (field: HostnameInvalid["field"], value: string, problem: string) =>
    Result.fail(new HostnameInvalid({ field, value, problem }))
  if (hostnameOverride !== undefined) {
    if (hostnameOverride.length > maxSubdomainNameLength || !name.test(hostnameOverride))
      return refuse("hostnameOverride", hostnameOverride, "is no DNS name")
    return Result.succeed({ hostname: truncateHostname(hostnameOverride), domain: "" })
  }
  if (hostname !== undefined && hostname !== "") {
    const problem = labelProblem(hostname)
    if (problem !== undefined) return refuse("hostname", hostname, problem)
  }
  if (subdomain !== undefined && subdomain !== "") {
    const problem = labelProblem(subdomain)
    if (problem !== undefined) return refuse("subdomain", subdomain, problem)
  }
  return Result.succeed({
    hostname: truncateHostname(hostname || pod.metadata.name),
    domain: subdomain ? `${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}` : ""
  })
}

/**
 * What the sandbox is given as its host name: nothing on the host network; the full name where `setHostnameAsFQDN` asks
 * for it and it fits (`pkg/kubelet/util/util_linux.go`).
 */
export const sandboxHostname = (pod: PolicyPod, names: PodHostname): Result.Result<string, HostnameInvalid> => {
  if (pod.spec.hostNetwork === true) return Result.succeed("")
  if (pod.spec.setHostnameAsFQDN !== true || names.domain === "") return Result.succeed(names.hostname)
  const full = `${names.hostname}.${names.domain}`
  return full.length <= maxHostnameLength
    ? Result.succeed(full)
    : Result.fail(
        new HostnameInvalid({
          field: "hostname",
          value: full,
          problem: `is longer than ${maxHostnameLength} characters`
        })
      )
}
