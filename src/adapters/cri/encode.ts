/** The port's values as CRI messages. Pure. An unfit number throws a RangeError, which the caller makes `InvalidArgument`. */
import type { MessageInitShape } from "@bufbuild/protobuf"
import { Redacted } from "effect"
import {
  type AuthConfigSchema,
  type ContainerConfigSchema,
  type LinuxContainerResourcesSchema,
  MountPropagation,
  NamespaceMode,
  type NamespaceOptionSchema,
  type PodSandboxConfigSchema,
  Protocol,
  type SELinuxOptionSchema,
  SecurityProfile_ProfileType,
  type SecurityProfileSchema,
  Signal,
  SupplementalGroupsPolicy
} from "./generated/api_pb.js"
import type {
  AuthConfig,
  ContainerConfig,
  IdMapping,
  LinuxContainerResources,
  NamespaceOptions,
  SandboxConfig,
  SecurityProfile,
  SelinuxOptions
} from "./port.ts"

/** Says that fields with `undefined` are absent ones, which protobuf's `create` takes them for. */
const present = <T extends object>(fields: T) => fields as { [K in keyof T]: Exclude<T[K], undefined> }

const int64 = (value: number | undefined): bigint | undefined => (value === undefined ? undefined : BigInt(value))
/** Where 0 and absent differ: user and group ids. */
const optionalInt64 = (value: number | undefined) => (value === undefined ? undefined : { value: BigInt(value) })

const idMappings = (ranges: ReadonlyArray<IdMapping> | undefined) => (ranges ?? []).map((range) => ({ ...range }))

const namespaceOptions = (options: NamespaceOptions): MessageInitShape<typeof NamespaceOptionSchema> =>
  present({
    network: NamespaceMode[options.network ?? "POD"],
    pid: NamespaceMode[options.pid ?? "POD"],
    ipc: NamespaceMode[options.ipc ?? "POD"],
    targetId: options.targetId,
    usernsOptions:
      options.usernsMode === undefined
        ? undefined
        : {
            mode: NamespaceMode[options.usernsMode],
            uids: idMappings(options.usernsMappings?.uids),
            gids: idMappings(options.usernsMappings?.gids)
          }
  })

const securityProfile = (
  profile: SecurityProfile | undefined
): MessageInitShape<typeof SecurityProfileSchema> | undefined =>
  profile &&
  present({
    profileType: SecurityProfile_ProfileType[profile.profileType],
    localhostRef: profile.localhostRef
  })

const selinux = (options: SelinuxOptions | undefined): MessageInitShape<typeof SELinuxOptionSchema> | undefined =>
  options && present({ ...options })

/** The profile's name in the field that runtimes knew before there was `apparmor`; kubelet fills both. */
export const appArmorText = (profile: SecurityProfile | undefined): string => {
  switch (profile?.profileType) {
    case undefined:
      return ""
    case "RuntimeDefault":
      return "runtime/default"
    case "Unconfined":
      return "unconfined"
    case "Localhost":
      return `localhost/${profile.localhostRef ?? ""}`
  }
}

export const encodeResources = (
  limits: LinuxContainerResources
): MessageInitShape<typeof LinuxContainerResourcesSchema> =>
  present({
    cpuPeriod: int64(limits.cpuPeriod),
    cpuQuota: int64(limits.cpuQuota),
    cpuShares: int64(limits.cpuShares),
    memoryLimitInBytes: int64(limits.memoryLimitInBytes),
    oomScoreAdj: int64(limits.oomScoreAdj),
    cpusetCpus: limits.cpusetCpus,
    cpusetMems: limits.cpusetMems,
    hugepageLimits: (limits.hugepageLimits ?? []).map(({ pageSize, limit }) => ({ pageSize, limit: BigInt(limit) })),
    unified: limits.unified && { ...limits.unified },
    memorySwapLimitInBytes: int64(limits.memorySwapLimitInBytes)
  })

const resources = (
  limits: LinuxContainerResources | undefined
): MessageInitShape<typeof LinuxContainerResourcesSchema> | undefined => limits && encodeResources(limits)

export const encodeSandboxConfig = (config: SandboxConfig): MessageInitShape<typeof PodSandboxConfigSchema> => {
  const security = config.linux.securityContext
  return present({
    metadata: { ...config.metadata },
    hostname: config.hostname,
    logDirectory: config.logDirectory,
    dnsConfig: config.dnsConfig && {
      servers: [...config.dnsConfig.servers],
      searches: [...config.dnsConfig.searches],
      options: [...config.dnsConfig.options]
    },
    portMappings: (config.portMappings ?? []).map((port) =>
      present({
        protocol: Protocol[port.protocol],
        containerPort: port.containerPort,
        hostPort: port.hostPort,
        hostIp: port.hostIp
      })
    ),
    labels: { ...config.labels },
    annotations: { ...config.annotations },
    linux: present({
      cgroupParent: config.linux.cgroupParent,
      securityContext: present({
        namespaceOptions: namespaceOptions(security.namespaceOptions),
        selinuxOptions: selinux(security.selinuxOptions),
        runAsUser: optionalInt64(security.runAsUser),
        runAsGroup: optionalInt64(security.runAsGroup),
        readonlyRootfs: security.readonlyRootfs,
        supplementalGroups: (security.supplementalGroups ?? []).map(BigInt),
        supplementalGroupsPolicy: SupplementalGroupsPolicy[security.supplementalGroupsPolicy ?? "Merge"],
        privileged: security.privileged,
        seccomp: securityProfile(security.seccomp)
      }),
      sysctls: { ...config.linux.sysctls },
      overhead: resources(config.linux.overhead),
      resources: resources(config.linux.resources)
    })
  })
}

/** `SIGRTMIN+3` is `SIGRTMINPLUS3` in the protocol. */
const signal = (name: string): Signal => {
  const number = Signal[name.replace("+", "PLUS").replace("-", "MINUS") as keyof typeof Signal] as Signal | undefined
  if (number === undefined) throw new RangeError(`${JSON.stringify(name)} is no signal that the runtime knows`)
  return number
}

export const encodeContainerConfig = (config: ContainerConfig): MessageInitShape<typeof ContainerConfigSchema> => {
  const security = config.linux.securityContext
  return present({
    metadata: { ...config.metadata },
    image: present({ ...config.image }),
    command: [...(config.command ?? [])],
    args: [...(config.args ?? [])],
    workingDir: config.workingDir,
    envs: config.envs.map((env) => ({ ...env })),
    mounts: config.mounts.map((mount) =>
      present({
        containerPath: mount.containerPath,
        hostPath: mount.hostPath,
        readonly: mount.readonly,
        selinuxRelabel: mount.selinuxRelabel,
        propagation: MountPropagation[mount.propagation ?? "PROPAGATION_PRIVATE"],
        uidMappings: idMappings(mount.idMappings?.uids),
        gidMappings: idMappings(mount.idMappings?.gids),
        recursiveReadOnly: mount.recursiveReadOnly,
        image: mount.image && present({ ...mount.image }),
        imageSubPath: mount.imageSubPath
      })
    ),
    labels: { ...config.labels },
    annotations: { ...config.annotations },
    logPath: config.logPath,
    stdin: config.stdin,
    stdinOnce: config.stdinOnce,
    tty: config.tty,
    stopSignal: config.stopSignal === undefined ? undefined : signal(config.stopSignal),
    linux: present({
      resources: resources(config.linux.resources),
      securityContext: present({
        capabilities: security.capabilities && {
          addCapabilities: [...security.capabilities.addCapabilities],
          dropCapabilities: [...security.capabilities.dropCapabilities]
        },
        privileged: security.privileged,
        namespaceOptions: namespaceOptions(security.namespaceOptions),
        selinuxOptions: selinux(security.selinuxOptions),
        runAsUser: optionalInt64(security.runAsUser),
        runAsUsername: security.runAsUsername,
        runAsGroup: optionalInt64(security.runAsGroup),
        readonlyRootfs: security.readonlyRootfs,
        supplementalGroups: (security.supplementalGroups ?? []).map(BigInt),
        supplementalGroupsPolicy: SupplementalGroupsPolicy[security.supplementalGroupsPolicy ?? "Merge"],
        noNewPrivs: security.noNewPrivs,
        maskedPaths: [...(security.maskedPaths ?? [])],
        readonlyPaths: [...(security.readonlyPaths ?? [])],
        seccomp: securityProfile(security.seccomp),
        apparmor: securityProfile(security.apparmor),
        apparmorProfile: appArmorText(security.apparmor)
      })
    })
  })
}

export const encodeAuthConfig = ({ username, password }: AuthConfig): MessageInitShape<typeof AuthConfigSchema> => ({
  username,
  password: Redacted.value(password)
})
