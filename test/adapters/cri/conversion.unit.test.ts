/** From the port's values to bytes and from messages to the port's values. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { create, fromBinary, toBinary, toJson } from "@bufbuild/protobuf"
import type { ServiceError } from "@grpc/grpc-js"
import {
  decodeCgroupDriver,
  decodeContainer,
  decodeContainerEvent,
  decodeContainerStatus,
  decodeImage,
  decodeSandboxStatus,
  decodeStatus,
  Nonsense
} from "../../../src/adapters/cri/decode.ts"
import { encodeContainerConfig, encodeSandboxConfig } from "../../../src/adapters/cri/encode.ts"
import { criError } from "../../../src/adapters/cri/failure.ts"
import {
  CgroupDriver,
  ContainerConfigSchema,
  ContainerEventResponseSchema,
  ContainerEventType,
  ContainerSchema,
  ContainerStatusSchema,
  ImageSchema,
  PodSandboxConfigSchema,
  PodSandboxStatusSchema,
  RuntimeConfigResponseSchema,
  StatusResponseSchema
} from "../../../src/adapters/cri/generated/api_pb.js"
import type { ContainerConfig, SandboxConfig } from "../../../src/adapters/cri/port.ts"
import { containerConfig, sandboxConfig } from "./configs.ts"

const sandboxJson = (config: SandboxConfig) => {
  const bytes = toBinary(PodSandboxConfigSchema, create(PodSandboxConfigSchema, encodeSandboxConfig(config)))
  return toJson(PodSandboxConfigSchema, fromBinary(PodSandboxConfigSchema, bytes), { useProtoFieldName: true })
}
const containerJson = (config: ContainerConfig) => {
  const bytes = toBinary(ContainerConfigSchema, create(ContainerConfigSchema, encodeContainerConfig(config)))
  return toJson(ContainerConfigSchema, fromBinary(ContainerConfigSchema, bytes), { useProtoFieldName: true })
}

const limits = {
  cpuPeriod: 100_000,
  cpuQuota: 50_000,
  cpuShares: 512,
  memoryLimitInBytes: 2 ** 40,
  oomScoreAdj: -997,
  cpusetCpus: "0-1",
  cpusetMems: "0",
  hugepageLimits: [{ pageSize: "2MB", limit: 4_194_304 }],
  unified: { "memory.high": "1000" },
  memorySwapLimitInBytes: 1
}
const limitsJson = {
  cpu_period: "100000",
  cpu_quota: "50000",
  cpu_shares: "512",
  memory_limit_in_bytes: "1099511627776",
  oom_score_adj: "-997",
  cpuset_cpus: "0-1",
  cpuset_mems: "0",
  hugepage_limits: [{ page_size: "2MB", limit: "4194304" }],
  unified: { "memory.high": "1000" },
  memory_swap_limit_in_bytes: "1"
}

const mappings = {
  uids: [{ hostId: 65_536, containerId: 0, length: 65_536 }],
  gids: [{ hostId: 65_536, containerId: 0, length: 65_536 }]
}
const rangeJson = { host_id: 65_536, length: 65_536 }

describe("configurations on the wire", () => {
  it("carry every field of a sandbox", () => {
    const config = sandboxConfig("p", "/var/log", {
      dnsConfig: { servers: ["10.0.0.10"], searches: ["a.b"], options: ["ndots:5"] },
      portMappings: [{ protocol: "UDP", containerPort: 53, hostPort: 5353, hostIp: "127.0.0.1" }],
      annotations: { a: "b" },
      linux: {
        cgroupParent: "/kubepods/pod1",
        securityContext: {
          namespaceOptions: {
            ...{ network: "NODE", pid: "TARGET", ipc: "CONTAINER", targetId: "t", usernsMode: "POD" },
            usernsMappings: mappings
          },
          selinuxOptions: { user: "u", role: "r", type: "t", level: "s0:c1" },
          supplementalGroupsPolicy: "Strict",
          runAsUser: 0,
          runAsGroup: 65_534,
          readonlyRootfs: true,
          supplementalGroups: [1, 2],
          privileged: true,
          seccomp: { profileType: "Localhost", localhostRef: "/x.json" }
        },
        sysctls: { "net.core.somaxconn": "1024" },
        overhead: limits,
        resources: limits
      }
    })
    assert.deepEqual(sandboxJson(config), {
      metadata: { name: "p", uid: "uid-p", namespace: "contract" },
      hostname: "p",
      log_directory: "/var/log/logs/p",
      dns_config: { servers: ["10.0.0.10"], searches: ["a.b"], options: ["ndots:5"] },
      port_mappings: [{ protocol: "UDP", container_port: 53, host_port: 5353, host_ip: "127.0.0.1" }],
      labels: { "io.kubernetes.pod.name": "p", "io.kubernetes.pod.uid": "uid-p" },
      annotations: { a: "b" },
      linux: {
        cgroup_parent: "/kubepods/pod1",
        security_context: {
          namespace_options: {
            network: "NODE",
            pid: "TARGET",
            ipc: "CONTAINER",
            target_id: "t",
            userns_options: { uids: [rangeJson], gids: [rangeJson] }
          },
          selinux_options: { user: "u", role: "r", type: "t", level: "s0:c1" },
          supplemental_groups_policy: "Strict",
          // Present, although 0: root was asked for.
          run_as_user: {},
          run_as_group: { value: "65534" },
          readonly_rootfs: true,
          supplemental_groups: ["1", "2"],
          privileged: true,
          seccomp: { profile_type: "Localhost", localhost_ref: "/x.json" }
        },
        sysctls: { "net.core.somaxconn": "1024" },
        overhead: limitsJson,
        resources: limitsJson
      }
    })
  })

  it("carry every field of a container", () => {
    const config = containerConfig("app", ["/bin/app"], {
      metadata: { name: "app", attempt: 3 },
      image: { image: "sha256:1", userSpecifiedImage: "app:1" },
      args: ["-v"],
      workingDir: "/w",
      envs: [{ key: "A", value: "=b" }],
      mounts: [
        {
          containerPath: "/c",
          hostPath: "/h",
          readonly: true,
          selinuxRelabel: true,
          propagation: "PROPAGATION_BIDIRECTIONAL"
        },
        { containerPath: "/r", hostPath: "/s", readonly: true, recursiveReadOnly: true, idMappings: mappings },
        {
          ...{ containerPath: "/i", hostPath: "", readonly: true, imageSubPath: "usr/bin" },
          image: { image: "sha256:2", userSpecifiedImage: "tools:1" }
        }
      ],
      annotations: { x: "y" },
      stdin: true,
      stdinOnce: true,
      tty: true,
      linux: {
        resources: limits,
        securityContext: {
          capabilities: { addCapabilities: ["NET_ADMIN"], dropCapabilities: ["ALL"] },
          privileged: true,
          namespaceOptions: { pid: "CONTAINER" },
          selinuxOptions: { type: "spc_t" },
          supplementalGroupsPolicy: "Strict",
          runAsUser: 1_000,
          runAsUsername: "app",
          runAsGroup: 0,
          readonlyRootfs: true,
          supplementalGroups: [7],
          noNewPrivs: true,
          maskedPaths: ["/proc/kcore"],
          readonlyPaths: ["/proc/sys"],
          seccomp: { profileType: "RuntimeDefault" },
          apparmor: { profileType: "Unconfined" }
        }
      }
    })
    assert.deepEqual(containerJson(config), {
      metadata: { name: "app", attempt: 3 },
      image: { image: "sha256:1", user_specified_image: "app:1" },
      command: ["/bin/app"],
      args: ["-v"],
      working_dir: "/w",
      envs: [{ key: "A", value: "=b" }],
      mounts: [
        {
          container_path: "/c",
          host_path: "/h",
          readonly: true,
          selinux_relabel: true,
          propagation: "PROPAGATION_BIDIRECTIONAL"
        },
        {
          ...{ container_path: "/r", host_path: "/s", readonly: true, recursive_read_only: true },
          ...{ uidMappings: [rangeJson], gidMappings: [rangeJson] }
        },
        {
          ...{ container_path: "/i", readonly: true, image_sub_path: "usr/bin" },
          image: { image: "sha256:2", user_specified_image: "tools:1" }
        }
      ],
      labels: { "io.kubernetes.container.name": "app" },
      annotations: { x: "y" },
      log_path: "app/0.log",
      stdin: true,
      stdin_once: true,
      tty: true,
      linux: {
        resources: limitsJson,
        security_context: {
          capabilities: { add_capabilities: ["NET_ADMIN"], drop_capabilities: ["ALL"] },
          privileged: true,
          namespace_options: { pid: "CONTAINER" },
          selinux_options: { type: "spc_t" },
          supplemental_groups_policy: "Strict",
          run_as_user: { value: "1000" },
          run_as_username: "app",
          run_as_group: {},
          readonly_rootfs: true,
          supplemental_groups: ["7"],
          no_new_privs: true,
          masked_paths: ["/proc/kcore"],
          readonly_paths: ["/proc/sys"],
          seccomp: {},
          apparmor: { profile_type: "Unconfined" },
          apparmor_profile: "unconfined"
        }
      }
    })
  })

  it("leave out what is absent", () => {
    assert.deepEqual(containerJson(containerConfig("app", [])), {
      metadata: { name: "app" },
      image: { image: "chronode.local/busybox:1" },
      labels: { "io.kubernetes.container.name": "app" },
      log_path: "app/0.log",
      linux: {
        resources: { oom_score_adj: "1000" },
        security_context: { namespace_options: { pid: "CONTAINER" } }
      }
    })
  })

  it("refuse numbers that are none", () => {
    for (const cpuPeriod of [1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      const config = containerConfig("app", [])
      const unfit = { ...config, linux: { ...config.linux, resources: { cpuPeriod } } }
      assert.throws(() => containerJson(unfit), RangeError)
    }
    const negative = containerConfig("app", [], { metadata: { name: "app", attempt: -1 } })
    assert.throws(() => containerJson(negative))
  })
})

describe("answers from the wire", () => {
  const createdAt = 1_795_240_427_123_456_789n
  const metadata = { name: "p", uid: "u", namespace: "n", attempt: 1 }

  it("give times to the millisecond, and undefined for never", () => {
    const base = { id: "c", metadata: { name: "c" }, createdAt, startedAt: createdAt }
    const status = decodeContainerStatus(create(ContainerStatusSchema, base))
    assert.equal(status.createdAt, "2026-11-21T05:53:47.123Z")
    assert.equal(status.startedAt, "2026-11-21T05:53:47.123Z")
    assert.equal(status.finishedAt, undefined)
  })

  it("give the addresses of a sandbox with the primary one first", () => {
    const network = { ip: "10.0.0.1", additionalIps: [{ ip: "fd00::1" }] }
    const status = create(PodSandboxStatusSchema, { id: "s", metadata, createdAt, network })
    assert.deepEqual(decodeSandboxStatus(status).ips, ["10.0.0.1", "fd00::1"])
    assert.deepEqual(decodeSandboxStatus(create(PodSandboxStatusSchema, { id: "s", metadata, createdAt })).ips, [])
  })

  it("take states that are not known for unknown, and events of such types for none", () => {
    const container = { id: "c", podSandboxId: "s", metadata: { name: "c" }, createdAt, state: 9 as never }
    assert.equal(decodeContainer(create(ContainerSchema, container)).state, "CONTAINER_UNKNOWN")
    const event = { containerId: "c", createdAt, containerEventType: 9 as ContainerEventType }
    assert.equal(decodeContainerEvent(create(ContainerEventResponseSchema, event)), undefined)
  })

  it("tell what the runtime can, where it tells", () => {
    const conditions = [{ type: "RuntimeReady", status: true, reason: "", message: "" }]
    const runtimeHandlers = [{ name: "", features: { userNamespaces: true } }, { name: "kata" }]
    const features = { supplementalGroupsPolicy: true }
    assert.deepEqual(
      decodeStatus(create(StatusResponseSchema, { status: { conditions }, runtimeHandlers, features })),
      {
        conditions,
        handlers: [
          { name: "", recursiveReadOnlyMounts: false, userNamespaces: true },
          { name: "kata", recursiveReadOnlyMounts: false, userNamespaces: false }
        ],
        supplementalGroupsPolicy: true
      }
    )
    assert.deepEqual(decodeStatus(create(StatusResponseSchema, { status: { conditions } })), {
      conditions,
      handlers: [],
      supplementalGroupsPolicy: false
    })
    assert.throws(() => decodeStatus(create(StatusResponseSchema, {})), Nonsense)
  })

  it("name the pod of an event where the runtime does", () => {
    const event = { containerId: "c", createdAt, containerEventType: ContainerEventType.CONTAINER_STOPPED_EVENT }
    const bare = decodeContainerEvent(create(ContainerEventResponseSchema, event))
    assert.equal(bare?.type, "CONTAINER_STOPPED_EVENT")
    assert.equal(bare?.pod, undefined)
    const full = decodeContainerEvent(
      create(ContainerEventResponseSchema, { ...event, podSandboxStatus: { metadata } })
    )
    assert.deepEqual(full?.pod, { namespace: "n", name: "p", uid: "u" })
  })

  it("tell the image user only where there is one", () => {
    assert.equal(decodeImage(create(ImageSchema, { id: "i" })).uid, undefined)
    assert.equal(decodeImage(create(ImageSchema, { id: "i", uid: { value: 0n } })).uid, 0)
  })

  it("name the cgroup driver", () => {
    const of = (cgroupDriver: CgroupDriver) =>
      decodeCgroupDriver(create(RuntimeConfigResponseSchema, { linux: { cgroupDriver } }))
    assert.deepEqual([of(CgroupDriver.SYSTEMD), of(CgroupDriver.CGROUPFS)], ["systemd", "cgroupfs"])
  })

  it("are of the epoch where the runtime lost the time of creation: one such container hides no other", () => {
    const lost = create(ContainerSchema, { id: "c", podSandboxId: "s", metadata: { name: "c" }, state: 3 as never })
    const { createdAt: told, state } = decodeContainer(lost)
    assert.deepEqual([told, state], ["1970-01-01T00:00:00.000Z", "CONTAINER_UNKNOWN"])
  })

  it("are nonsense without id, metadata or status", () => {
    const container = { id: "c", podSandboxId: "s", metadata: { name: "c" }, createdAt }
    for (const broken of [{ id: "" }, { podSandboxId: "" }, { metadata: undefined }, { createdAt: -1n }]) {
      const message = create(ContainerSchema, { ...container, ...broken } as never)
      assert.throws(() => decodeContainer(message), Nonsense)
    }
    assert.throws(() => decodeContainerStatus(undefined), Nonsense)
    assert.throws(() => decodeSandboxStatus(undefined), Nonsense)
    assert.throws(() =>
      decodeSandboxStatus(create(PodSandboxStatusSchema, { id: "s", metadata, createdAt, state: 7 as never }))
    )
    assert.throws(() => decodeCgroupDriver(create(RuntimeConfigResponseSchema, {})), Nonsense)
  })
})

describe("a gRPC status becomes a reason to act on", () => {
  const reasonOf = (code: number, details = "", pastDeadline = false) =>
    criError("X", { code, details, message: `${code}` } as ServiceError, pastDeadline).reason

  it("by its code", () => {
    const expected = {
      3: "InvalidArgument",
      4: "DeadlineExceeded",
      5: "NotFound",
      6: "AlreadyExists",
      8: "ResourceExhausted",
      12: "Unimplemented",
      14: "Unavailable",
      2: "Failed",
      9: "Failed",
      13: "Failed"
    }
    for (const [code, reason] of Object.entries(expected)) assert.equal(reasonOf(Number(code)), reason)
  })

  it("by containerd's words where the code says nothing", () => {
    const reserved = 'failed to reserve sandbox name "a": name "a" is reserved for "b"'
    assert.equal(reasonOf(2, reserved), "AlreadyExists")
    assert.equal(reasonOf(9, reserved), "AlreadyExists")
    assert.equal(reasonOf(2, "server is not initialized yet"), "Unavailable")
    assert.equal(reasonOf(2, "timeout 1s exceeded: context deadline exceeded"), "DeadlineExceeded")
    assert.equal(reasonOf(5, "context deadline exceeded"), "NotFound")
  })

  it("by the clock where a deadline shows as cancellation", () => {
    assert.equal(reasonOf(1, "Call cancelled", true), "DeadlineExceeded")
    assert.equal(reasonOf(1, "Call cancelled", false), "Unavailable")
  })
})
