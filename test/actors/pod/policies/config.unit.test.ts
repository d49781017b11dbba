import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Result } from "effect"
import { containerConfig } from "../../../../src/actors/pod/effects/container-config.ts"
import { sandboxConfig } from "../../../../src/actors/pod/effects/sandbox-config.ts"
import {
  containerAnnotations,
  containerLabels,
  sandboxAnnotations,
  sandboxLabels
} from "../../../../src/actors/pod/labels.ts"
import { type NodeFacts, podLogDirectory, terminationLogPath } from "../../../../src/actors/pod/node-facts.ts"
import { containerHash } from "../../../../src/actors/pod/plan/spec-hash.ts"
import { appArmorProfile, needsAppArmor } from "../../../../src/actors/pod/security/apparmor.ts"
import { podNamespaces, targetNamespaces } from "../../../../src/actors/pod/security/namespaces.ts"
import {
  containerSecurity,
  hasPrivilegedContainer,
  imageUser,
  runAsNonRootProblem,
  seccompProfile
} from "../../../../src/actors/pod/security/security.ts"
import { userNamespaceOf } from "../../../../src/actors/pod/security/user-namespace.ts"
import type { PolicyPod } from "../../../../src/actors/pod/spec-extension.ts"
import { appArmorText } from "../../../../src/adapters/cri/encode.ts"
import { differs, itMeets, podOf, type Row, type RowValue, withoutZero } from "../../../support/cases.ts"

const file = "container-config.json"
const node: NodeFacts = {
  nodeName: "node-1",
  podLogsDir: "/var/log/pods",
  rootDir: "/var/lib/chronode",
  cgroupDriver: "systemd",
  cgroupVersion: "v2",
  memoryCapacity: 8 * 1024 ** 3,
  hugePageSizes: ["2MB"],
  swapAccounting: true,
  clusterDns: [],
  clusterDomain: "cluster.local",
  resolvConf: "nameserver 9.9.9.9\n"
}

describe("the hash of a container", () => {
  const check = (row: Row) => {
    assert.equal(containerHash(row.in.container), row.want.hash)
    return undefined
  }
  itMeets("container-helpers.json", "TestHashContainer", "is kubelet's", check)
  itMeets("container-helpers.json", "TestHashContainerWithoutResources", "does not see resources", check)
})

describe("labels and annotations", () => {
  itMeets(file, "TestContainerLabels", "say which container of which pod", (row) => {
    assert.deepEqual(containerLabels(podOf(row.in.pod), row.in.container), row.want.result)
    return undefined
  })
  itMeets(file, "TestContainerAnnotations", "say how the container was made", (row) => {
    const extra = Object.fromEntries(row.in.extraAnnotations.map((entry: RowValue) => [entry.name, entry.value]))
    const container = { image: "", ...row.in.container }
    const own = containerAnnotations(podOf(row.in.pod), container, row.in.restartCount)
    assert.deepEqual({ ...extra, ...own }, row.want.result)
    return undefined
  })
  itMeets(file, "TestPodLabels", "say which pod, beside its own", (row) => {
    assert.deepEqual(sandboxLabels(podOf(row.in.pod)), row.want.result)
    return undefined
  })
  itMeets(file, "TestPodAnnotations", "keep the pod's own", (row) => {
    assert.deepEqual(sandboxAnnotations(podOf(row.in.pod)), row.want.result)
    return undefined
  })
  it("say that a static pod comes from a file, and which", () => {
    const pod = podOf({ metadata: { uid: "abc" }, spec: {} })
    assert.deepEqual(sandboxAnnotations(pod, { source: "file", seenAt: "2026-11-20T16:14:41.642Z" }), {
      "kubernetes.io/config.source": "file",
      "kubernetes.io/config.seen": "2026-11-20T16:14:41.642Z",
      "kubernetes.io/config.hash": "abc"
    })
  })
})

describe("security settings", () => {
  const profile = (row: Row) => {
    const result = seccompProfile(
      row.in.containerSecurityContext?.seccompProfile,
      row.in.podSecurityContext?.seccompProfile,
      { runtimeDefault: row.in.fallbackToRuntimeDefault, root: "/fakeSeccompProfileRoot" }
    )
    assert.deepEqual(
      Result.getOrElse(result, () => null),
      row.want.profile
    )
    assert.equal(Result.isFailure(result), row.want.error !== null)
    return undefined
  }
  itMeets(file, "TestGetSeccompProfile", "take the container's seccomp profile first", profile)
  itMeets(file, "TestGetSeccompProfileDefaultSeccomp", "fall back to the node's seccomp default", profile)
  itMeets(file, "TestGetAppArmorProfile", "know the AppArmor profile, and its text for older runtimes", (row) => {
    const profile = appArmorProfile(row.in.podProfile ?? undefined)
    assert.equal(Result.isFailure(profile), row.want.isError)
    const told = Result.getOrElse(profile, () => undefined)
    assert.deepEqual(told ?? null, row.want.profile)
    assert.equal(appArmorText(told), row.want.text)
    return undefined
  })
  it("name capabilities as CRI does, without a prefix", () => {
    const capabilities = { add: ["CAP_NET_ADMIN", "SYS_TIME", "ALL"], drop: ["cap_chown", "NO_SUCH"] }
    const pod = podOf({ spec: { containers: [{ name: "app", image: "i", securityContext: { capabilities } }] } })
    const options = { seccompDefault: false, seccompRoot: "/s", maskedPaths: [] }
    const security = Result.getOrThrow(containerSecurity(pod, pod.spec.containers[0]!, { uid: 0 }, options))
    assert.deepEqual(security.capabilities, {
      addCapabilities: ["NET_ADMIN", "SYS_TIME", "ALL"],
      dropCapabilities: ["chown", "NO_SUCH"]
    })
  })
  it("give the container's AppArmor profile before its annotation before the pod's", () => {
    const pod: PolicyPod = podOf({
      metadata: { annotations: { "container.apparmor.security.beta.kubernetes.io/b": "localhost/old" } },
      spec: {
        securityContext: { appArmorProfile: { type: "RuntimeDefault" }, seLinuxOptions: { level: "s0" } },
        containers: ["a", "b", "c"].map((name) => ({
          ...{ name, image: "i" },
          ...(name === "c"
            ? { securityContext: { appArmorProfile: { type: "Unconfined" }, seLinuxOptions: { type: "spc_t" } } }
            : {})
        }))
      }
    })
    const options = { seccompDefault: false, seccompRoot: "/s", maskedPaths: [] }
    const told = pod.spec.containers.map((c) => Result.getOrThrow(containerSecurity(pod, c, { uid: 0 }, options)))
    assert.deepEqual(
      told.map(({ apparmor }) => appArmorText(apparmor)),
      ["runtime/default", "localhost/old", "unconfined"]
    )
    assert.deepEqual(
      told.map(({ selinuxOptions }) => selinuxOptions),
      [{ level: "s0" }, { level: "s0" }, { type: "spc_t" }]
    )
    assert.equal(needsAppArmor(pod), true)
    assert.equal(needsAppArmor({ ...pod, spec: { ...pod.spec, containers: [pod.spec.containers[2]!] } }), true)
    assert.equal(needsAppArmor(podOf({ spec: { containers: [pod.spec.containers[2]!] } })), false)
  })
  itMeets(file, "TestVerifyRunAsNonRoot", "forbid root where runAsNonRoot says so", (row) => {
    const pod = podOf(row.in.pod)
    const { uid, username } = row.in
    const user = { ...(uid === null ? {} : { uid }), ...(username === "" ? {} : { username }) }
    assert.equal(runAsNonRootProblem(pod, pod.spec.containers[0], user) !== undefined, row.want.error !== null)
    return undefined
  })
  itMeets(file, "TestGetImageUser", "know whom an image runs as", (row) => {
    const { uid = null, username = "" } = imageUser({
      uid: row.in.image.uid?.value,
      username: row.in.image.username
    })
    assert.deepEqual({ uid, username, err: null }, row.want.user)
    return undefined
  })
  itMeets("container-helpers.json", "TestHasPrivilegedContainer", "know a privileged container", (row) => {
    assert.equal(hasPrivilegedContainer(podOf(row.in.pod)), row.want.result)
    return undefined
  })
})

describe("namespaces", () => {
  const withoutUsers = ({ usernsMode, ...rest }: ReturnType<typeof podNamespaces>) => rest
  /** What the upstream test's stand-in hands out. */
  const handedOut = { hostId: 65_536, length: 65_536 }
  itMeets(file, "TestNamespacesForPod", "are the pod's, or the node's on demand", (row) => {
    if (row.in.pod === null) return differs("no pod at all: nothing here has namespaces without one")
    const pod = podOf(row.in.pod)
    if (row.in.pod.spec.hostUsers !== undefined && row.gates?.UserNamespacesSupport === false)
      return differs("user namespaces cannot be switched off here")
    const handlers = Object.entries<RowValue>(row.in.runtimeHandlers ?? {}).map(([name, features]) => ({
      name,
      recursiveReadOnlyMounts: features.supportsRecursiveReadOnlyMounts,
      userNamespaces: features.supportsUserNamespaces
    }))
    const ids = userNamespaceOf(pod.spec, handlers, "", handedOut)
    if (row.want.error !== null) {
      assert.match(Result.isFailure(ids) ? ids.failure : "", new RegExp(row.want.error, "u"))
      return undefined
    }
    const { usernsMode, usernsMappings, ...own } = podNamespaces(pod, Result.getOrThrow(ids))
    const { usernsOptions, ...want } = row.want.namespaces
    assert.deepEqual(own, want)
    assert.equal(usernsMode, usernsOptions?.mode ?? "NODE")
    assert.deepEqual(
      usernsMappings?.uids,
      usernsOptions?.uids.map((range: RowValue) => ({ containerId: 0, ...range }))
    )
    assert.deepEqual(usernsMappings?.gids, usernsMappings?.uids)
    return undefined
  })
  itMeets(file, "TestGenerateLinuxContainerConfigNamespaces", "are shared with the sandbox", (row) => {
    const target = row.in.target?.replace(/^docker:\/\//u, "")
    const namespaces = targetNamespaces(podNamespaces(podOf(row.in.pod)), target)
    assert.deepEqual(withoutUsers(namespaces), row.want.namespaces)
    return undefined
  })
})

describe("each host namespace", () => {
  it("is asked for by itself", () => {
    const own = { network: "POD", ipc: "POD", pid: "CONTAINER", usernsMode: "NODE" }
    const of = (spec: object) => podNamespaces(podOf({ spec }))
    assert.deepEqual(of({ hostNetwork: true }), { ...own, network: "NODE" })
    assert.deepEqual(of({ hostIPC: true }), { ...own, ipc: "NODE" })
    assert.deepEqual(of({ hostPID: true }), { ...own, pid: "NODE" })
    assert.deepEqual(of({ hostPID: true, shareProcessNamespace: true }), { ...own, pid: "NODE" })
  })
})

describe("a sandbox", () => {
  itMeets(file, "TestGeneratePodSandboxConfig", "is asked for as kubelet asks", (row) => {
    const config = Result.getOrThrow(
      sandboxConfig(podOf(row.in.pod), { ...node, cgroupVersion: "v1", enforceCpuLimits: false }, row.in.attempt)
    )
    const { dnsConfig, linux, ...want } = row.want.result
    // The harness stands in for host name, DNS, namespaces and cgroup parent: those are judged by the recordings.
    const { hostname, dnsConfig: _, annotations: __, linux: ownLinux, ...own } = withoutZero(config)
    assert.equal(hostname, "bar")
    assert.deepEqual(own, withoutZero(want))
    assert.deepEqual(ownLinux.resources, linux.resources)
    assert.deepEqual(ownLinux.overhead, linux.overhead)
    assert.deepEqual(ownLinux.securityContext.seccomp, linux.securityContext.seccomp)
    return undefined
  })
  it("is refused where the pod's names make no host name", () => {
    const result = sandboxConfig(podOf({ metadata: { name: "a" }, spec: { hostname: "Nope" } }), node, 0)
    assert.ok(Result.isFailure(result))
    assert.equal(result.failure.field, "hostname")
    assert.match(result.failure.message, /spec\.hostname "Nope"/u)
  })
})

describe("a container", () => {
  const pod = podOf({
    metadata: { name: "web", namespace: "default", uid: "u1" },
    spec: { securityContext: { fsGroup: 7, supplementalGroups: [8], runAsGroup: 9 } }
  })
  const instance = {
    attempt: 2,
    imageId: "sha256:1",
    imageUser: { uid: 0 },
    volumes: new Map([
      ["data", { hostPath: "/srv/data" }],
      ["fixed", { hostPath: "/srv/fixed", readOnly: true }]
    ]),
    env: [],
    hostsFile: true
  }
  const build = (container: object) =>
    containerConfig(pod, { name: "app", image: "img", ...container } as RowValue, node, instance)

  it("mounts its volumes, then the hosts file, then its termination message", () => {
    const config = Result.getOrThrow(
      build({
        terminationMessagePath: "/dev/termination-log",
        volumeMounts: [
          { name: "data", mountPath: "rw", mountPropagation: "Bidirectional" },
          { name: "data", mountPath: "/ro", readOnly: true },
          { name: "fixed", mountPath: "/fixed" }
        ]
      })
    )
    assert.deepEqual(config.mounts, [
      { containerPath: "/rw", hostPath: "/srv/data", propagation: "PROPAGATION_BIDIRECTIONAL" },
      { containerPath: "/ro", hostPath: "/srv/data", readonly: true },
      { containerPath: "/fixed", hostPath: "/srv/fixed", readonly: true },
      { containerPath: "/etc/hosts", hostPath: "/var/lib/chronode/pods/u1/etc-hosts" },
      { containerPath: "/dev/termination-log", hostPath: terminationLogPath(node, "u1", "app", 2) }
    ])
    assert.equal(config.logPath, "app/2.log")
    assert.equal(podLogDirectory(node, pod), "/var/log/pods/default_web_u1")
  })
  it("keeps its own hosts file where it mounts one", () => {
    const config = Result.getOrThrow(build({ volumeMounts: [{ name: "data", mountPath: "/etc/hosts" }] }))
    assert.deepEqual(config.mounts, [{ containerPath: "/etc/hosts", hostPath: "/srv/data" }])
  })
  it("is refused where a volume is missing or where it may not run as root", () => {
    const missing = build({ volumeMounts: [{ name: "gone", mountPath: "/x" }] })
    assert.ok(Result.isFailure(missing))
    assert.match(missing.failure.message, /cannot find volume "gone" to mount into container "app"/u)
    const root = build({ securityContext: { runAsNonRoot: true } })
    assert.ok(Result.isFailure(root))
    assert.match(root.failure.message, /container app: the image runs as root/u)
  })
  it("takes its own security settings over the pod's over the image's", () => {
    const { securityContext } = Result.getOrThrow(
      build({
        securityContext: {
          runAsUser: 1000,
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
          procMount: "Unmasked"
        }
      })
    ).linux
    assert.equal(securityContext.runAsUser, 1000)
    assert.equal(securityContext.runAsGroup, 9)
    assert.deepEqual(securityContext.supplementalGroups, [7, 8])
    assert.equal(securityContext.readonlyRootfs, true)
    assert.equal(securityContext.noNewPrivs, true)
    assert.deepEqual(securityContext.capabilities, { addCapabilities: ["NET_BIND_SERVICE"], dropCapabilities: ["ALL"] })
    assert.deepEqual(securityContext.maskedPaths, [])
  })
})
