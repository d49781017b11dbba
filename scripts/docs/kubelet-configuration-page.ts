/** docs/kubelet-configuration.md: what is done with each field of a KubeletConfiguration, from the tables that read it. */

import { defaultEvictionHard } from "../../src/actors/eviction/rules/settings.ts"
import { decode, encode } from "../../src/cli/kubelet-configuration/codec.ts"
import { ownDefaults, withKubeletDefaults } from "../../src/cli/kubelet-configuration/defaults.ts"
import { liveFields } from "../../src/cli/kubelet-configuration/live.ts"
import { type Status, support } from "../../src/cli/kubelet-configuration/support.ts"

const kubelets = encode(withKubeletDefaults(decode({})))

const isEmpty = (value: unknown): boolean =>
  value === undefined || (typeof value === "object" && value !== null && Object.values(value).every(isEmpty))

/** As a file would have it, in one line. */
const shown = (value: unknown): string => {
  if (typeof value === "string") return value
  if (Array.isArray(value)) return `[${value.map(shown).join(", ")}]`
  if (typeof value !== "object" || value === null) return String(value)
  const parts = Object.entries(value).filter(([, inner]) => !isEmpty(inner))
  return `{${parts.map(([key, inner]) => `${key}: ${shown(inner)}`).join(", ")}}`
}

const defaultOf = (field: string): string => {
  const own = ownDefaults.find((one) => one.field === field)
  if (own !== undefined) return `${own.ours} †`
  if (field === "evictionHard") return `\`${shown(defaultEvictionHard)}\``
  return isEmpty(kubelets[field]) ? "" : `\`${shown(kubelets[field])}\``
}

const rows = (status: Status): string =>
  Object.entries(support)
    .filter(([, one]) => one.status === status)
    .map(([field, { how }]) => `| ${field}${liveFields.has(field) ? " ↻" : ""} | ${defaultOf(field)} | ${how} |`)
    .join("\n")

const table = (status: Status, heading: string): string =>
  `| field | default | ${heading} |\n|---|---|---|\n${rows(status)}`

const own = ownDefaults
  .map(({ field, ours, why }) => `| ${field} | ${ours} | \`${shown(kubelets[field] ?? "no limit")}\` | ${why} |`)
  .join("\n")

export const kubeletConfigurationPage = (): string => `# Configuration in kubelet's words

\`chronode run --config FILE\` takes a KubeletConfiguration (\`kubelet.config.k8s.io/v1beta1\`) as it was written for kubelet, alone or in one
file with a ChronodeConfiguration. Flags and the ChronodeConfiguration win over it. A document without \`kind\` is read as a part of a
KubeletConfiguration, with a warning.

    chronode run --config /var/lib/kubelet/config.yaml
    chronode doctor --config /var/lib/kubelet/config.yaml     # what is wrong with it, or not acted on, without a start

<!-- Written by scripts/generate-docs.ts from src/cli/kubelet-configuration. -->

## What is wrong with a file

ends the start, with file, line, column, field, and kubelet's own message; all problems at once:

    config.yaml:7:14: healthzPort: healthzPort (--healthz-port) 65536 must be between 1 and 65535, inclusive

Defaults and bounds are those of Kubernetes 1.36, judged by its own tables. A file that kubelet refuses is refused, also for fields that
nothing here acts on. Two things are milder: an unknown field (of an older or newer kubelet) is a warning, and so is what
\`enforceNodeAllocatable\` names without its cgroup. Feature gates decide what the file may say, as with kubelet.

What the machine has too little of ends the start as well: more is reserved than there is (\`invalid Node Allocatable configuration\`, with the
figures), swap is on and \`failSwapOn\` is true, cgroup v1 and \`failCgroupV1\` is true. \`chronode doctor --config\` says so before.

A field that the file sets and that is not acted on is never passed over in silence: the start warns once with their names, \`doctor\` gives the
reasons, and ConfigurationApplied lists them.

## Defaults that are not kubelet's

| field | here (†) | kubelet's | why |
|---|---|---|---|
${own}

\`evictionHard\` has kubelet's thresholds where the file has no such map at all; a map that is there stands alone, unless
\`mergeDefaultEvictionSettings\` is true.

## While the agent runs

On SIGHUP, and when the file is seen to be another (every 10 s), it is read again. Fields marked ↻ count at once, and so does
\`log.level\` of the ChronodeConfiguration; all others stay as they were until the next start, and ConfigurationApplied names them
(\`needsRestart\`). What \`evictionHard\` keeps back from what pods may ask for is counted at a start. A file that cannot be taken changes nothing: ConfigurationRejected says where and why.

ConfigurationApplied holds the configuration that runs, with all defaults, whenever it is another than the one before, also at a start: so
a log tells under which thresholds a pod was evicted. Values of \`staticPodURLHeader\`, credentials in addresses and their queries are
left out; it is bounded, and fields that had to be left out for that are named. \`/configz\` of the [API](api.md) answers the same as kubelet's JSON.

## What of the node is for pods

Capacity is what the machine has: processors, memory, \`ephemeral-storage\` (the file system of the data directory), huge pages, and
\`maxPods\` (or \`podsPerCore\`, where that is less). Allocatable is that without \`kubeReserved\`, \`systemReserved\`, and what \`evictionHard\` wants
to keep free of memory and of nodefs; memory of huge pages counts as theirs. Pods are admitted by it.

The kernel holds all pods together to capacity without the reservations (\`enforceNodeAllocatable: [pods]\`): memory, a share of the
processors, and processes where \`pid\` is reserved. \`system-reserved\` and \`kube-reserved\` hold \`systemReservedCgroup\` and \`kubeReservedCgroup\` to
what is reserved for them, their \`-compressible\` forms only to the share of the processors. These cgroups have to be there: QosCgroupFailed says
so in kubelet's words, and it is tried again every minute. More on cgroups: [resources.md](resources.md).

## Fields that are acted on

${table("honoured", "what for")}

## Fields of which a part is acted on

${table("partly", "what of it")}

## Fields that are not acted on yet

${table("later", "why")}

## Fields without a meaning here

${table("none", "why")}
`
