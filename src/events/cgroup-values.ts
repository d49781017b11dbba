/** What a cgroup is set to, in the terms of cgroup v1 as kubelet keeps them (`pkg/kubelet/cm/types.go` ResourceConfig). */
import { Schema } from "effect"

/** Settings of one cgroup; what is absent is left as it is. */
export const CgroupValues = Schema.Struct({
  /** v1's cpu.shares (2-262144); v2's cpu.weight follows from it. */
  cpuShares: Schema.optionalKey(Schema.Int),
  /** Microseconds per period; -1: no limit. */
  cpuQuota: Schema.optionalKey(Schema.Int),
  /** Microseconds. */
  cpuPeriod: Schema.optionalKey(Schema.Int),
  /** Bytes; -1: no limit. */
  memoryLimit: Schema.optionalKey(Schema.Int),
  /** Processes and threads; -1: no limit. */
  pidsLimit: Schema.optionalKey(Schema.Int),
  /** Bytes by page size as the kernel's files name it (`2MB`). */
  hugePages: Schema.optionalKey(Schema.Record(Schema.String, Schema.Int))
})
export type CgroupValues = typeof CgroupValues.Type

/** `cpu.shares 102, cpu quota 10000/100000 µs, memory 67108864` */
export const tellValues = ({ cpuShares, cpuQuota, cpuPeriod, memoryLimit, pidsLimit }: CgroupValues): string =>
  [
    ...(cpuShares === undefined ? [] : [`cpu shares ${cpuShares}`]),
    ...(cpuQuota === undefined
      ? []
      : [cpuQuota <= 0 ? "no cpu quota" : `cpu quota ${cpuQuota}/${cpuPeriod ?? 100_000} µs`]),
    ...(memoryLimit === undefined ? [] : [memoryLimit < 0 ? "no memory limit" : `memory ${memoryLimit} bytes`]),
    ...(pidsLimit === undefined ? [] : [pidsLimit < 0 ? "no pids limit" : `pids ${pidsLimit}`])
  ].join(", ")
