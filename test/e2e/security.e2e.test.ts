// runtimes: bun (deno)
/** What containers see of their security settings, on a real runtime; and what a runtime that cannot keep them is not asked for. */
import assert from "node:assert/strict"
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readlinkSync, realpathSync, writeFileSync } from "node:fs"
import { rm } from "node:fs/promises"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { after, before, describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { type LabContainerd, type LabOptions, startContainerd, whyNoContainerd } from "../../scripts/lab/containerd.ts"
import { NodeUnderTest } from "../support/agent.ts"
import { container, type Fields, pod } from "./manifests.ts"

const slow = (skip: string | undefined) => (skip === undefined ? { timeout: 60_000 } : { timeout: 60_000, skip })

interface Lab {
  readonly dir: string
  readonly node: NodeUnderTest
  readonly close: () => Promise<void>
}

const startLab = async (configuration: Fields, options: LabOptions = {}): Promise<Lab> => {
  const dir = realpathSync(mkdtempSync(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "s-")))
  // Users of a pod's own have to get through to its file systems.
  chmodSync(dir, 0o711)
  const containerd: LabContainerd = await startContainerd(join(dir, "c"), options)
  const node = new NodeUnderTest({ dir: join(dir, "n"), name: "n", cri: containerd.endpoint, configuration })
  mkdirSync(join(node.dataDir, "seccomp"), { recursive: true })
  writeFileSync(join(node.dataDir, "seccomp", "no-mkdir.json"), noMkdir)
  await node.start()
  return {
    dir,
    node,
    close: async () => {
      await node.kill()
      await containerd.stop()
      await rm(dir, { recursive: true, force: true })
    }
  }
}

const noMkdir = JSON.stringify({
  defaultAction: "SCMP_ACT_ALLOW",
  syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }]
})

/** What a process is, and what the script adds: told with the container's end. */
const tell = (script = ":") =>
  `{ grep -E '^(Uid|Gid|Groups|CapEff|NoNewPrivs|Seccomp):' /proc/self/status; ${script}; } > /dev/termination-log 2>&1`

const telling = (name: string, securityContext: Fields, script?: string, more: Fields = {}): Fields =>
  container(name, tell(script), { securityContext, ...more })

/** The lines that a container told, by what stands before the colon. */
const told = async (node: NodeUnderTest, name: string, from: string): Promise<ReadonlyMap<string, string>> => {
  const { data } = await node.waitFor("ContainerExited", `pod/default/${name}`, { container: from })
  const lines = String(data.message).split("\n")
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(":")
      return [
        line.slice(0, colon),
        line
          .slice(colon + 1)
          .trim()
          .replace(/\s+/gu, " ")
      ] as const
    })
  )
}

const capabilities = (...bits: ReadonlyArray<number>): string =>
  bits
    .reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n)
    .toString(16)
    .padStart(16, "0")
const [chown, netAdmin, sysAdmin] = [0, 12, 21]

describe("security settings on the containerd of this machine", () => {
  const skip = whyNoContainerd()
  let lab: Lab
  before(async () => {
    if (skip !== undefined) return
    lab = await startLab(
      { seccompDefault: true, allowedUnsafeSysctls: ["net.core.*"] },
      { handlers: { second: undefined } }
    )
    const never = { restartPolicy: "Never" }
    lab.node.put(
      "users.json",
      pod("users", {
        ...never,
        securityContext: {
          ...{ runAsUser: 1000, runAsGroup: 2000, fsGroup: 3000, supplementalGroups: [4000] },
          sysctls: [
            { name: "net.ipv4.ip_unprivileged_port_start", value: "80" },
            { name: "net/core/somaxconn", value: "1234" }
          ]
        },
        containers: [
          telling(
            "plain",
            {},
            "echo port: $(cat /proc/sys/net/ipv4/ip_unprivileged_port_start); echo backlog: $(cat /proc/sys/net/core/somaxconn); echo masked: $(grep -c ' /proc/sys ' /proc/mounts)"
          ),
          telling(
            "own",
            {
              ...{ runAsUser: 0, runAsGroup: 0, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
              capabilities: { drop: ["ALL"], add: ["NET_ADMIN", "CAP_CHOWN"] },
              seccompProfile: { type: "Unconfined" }
            },
            "echo write: $(touch /x 2>&1)"
          ),
          telling(
            "local",
            { runAsUser: 0, seccompProfile: { type: "Localhost", localhostProfile: "no-mkdir.json" } },
            "echo mkdir: $(mkdir /tmp/x 2>&1)"
          )
        ]
      })
    )
    lab.node.put(
      "host.json",
      pod("host", {
        ...never,
        ...{ hostNetwork: true, hostPID: true, hostIPC: true },
        containers: [
          telling(
            "app",
            { privileged: true },
            "for n in net pid ipc uts; do echo $n: $(readlink /proc/self/ns/$n); done; echo name: $(hostname); echo masked: $(grep -c ' /proc/sys ' /proc/mounts); echo sys: $(grep -c ' /sys sysfs ro' /proc/mounts)"
          )
        ]
      })
    )
    const other = { apiVersion: "node.k8s.io/v1", kind: "RuntimeClass", metadata: { name: "other" }, handler: "second" }
    lab.node.put("other.json", { ...other, overhead: { podFixed: { cpu: "100m", memory: "16Mi" } } })
    lab.node.put(
      "class.json",
      [
        { ...other, metadata: { name: "simple" } },
        pod("simple", { ...never, runtimeClassName: "simple", containers: [telling("app", {})] }),
        pod("classed", {
          ...{ ...never, runtimeClassName: "other" },
          containers: [telling("app", {}, ":", { resources: { requests: { cpu: "100m" } } })]
        }),
        pod("bare", { ...never, runtimeClassName: "second", containers: [telling("app", {})] }),
        pod("unclassed", { ...never, runtimeClassName: "missing", containers: [telling("app", {})] })
      ]
        .map((manifest) => JSON.stringify(manifest))
        .join("\n---\n")
    )
    lab.node.put(
      "refused.json",
      [
        pod("root", { containers: [container("app", ":", { securityContext: { runAsNonRoot: true, runAsUser: 0 } })] }),
        pod("sysctl", {
          securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] },
          containers: [container("app", ":")]
        }),
        pod("apparmor", {
          containers: [container("app", ":", { securityContext: { appArmorProfile: { type: "RuntimeDefault" } } })]
        }),
        pod("strict", {
          securityContext: { supplementalGroupsPolicy: "Strict" },
          containers: [container("app", ":")]
        }),
        pod("users-of-its-own", { hostUsers: false, containers: [container("app", ":")] })
      ]
        .map((manifest) => JSON.stringify(manifest))
        .join("\n---\n")
    )
  }, slow(undefined))
  after(() => lab?.close(), slow(undefined))

  it("the pod's users, groups and sysctls are those of its containers", slow(skip), async () => {
    const plain = await told(lab.node, "users", "plain")
    assert.equal(plain.get("Uid"), "1000 1000 1000 1000")
    assert.equal(plain.get("Gid"), "2000 2000 2000 2000")
    // containerd before 1.6.18 left the primary group out.
    assert.deepEqual(
      plain
        .get("Groups")
        ?.split(" ")
        .filter((g) => g !== "2000"),
      ["3000", "4000"]
    )
    assert.equal(plain.get("CapEff"), capabilities())
    assert.equal(plain.get("NoNewPrivs"), "0")
    assert.equal(plain.get("Seccomp"), "2", "seccompDefault")
    assert.equal(plain.get("port"), "80")
    assert.equal(plain.get("backlog"), "1234")
    assert.equal(plain.get("masked"), "1", "/proc is masked")
  })

  it("a container's own settings count before the pod's", slow(skip), async () => {
    const own = await told(lab.node, "users", "own")
    assert.equal(own.get("Uid"), "0 0 0 0")
    assert.equal(own.get("CapEff"), capabilities(chown, netAdmin))
    assert.equal(own.get("NoNewPrivs"), "1")
    assert.equal(own.get("Seccomp"), "0")
    assert.match(own.get("write") ?? "", /Read-only file system/)
  })

  it("a seccomp profile of the node's own is kept", slow(skip), async () => {
    const local = await told(lab.node, "users", "local")
    assert.equal(local.get("Seccomp"), "2")
    assert.match(local.get("mkdir") ?? "", /Operation not permitted/)
  })

  it("a privileged pod in the host's namespaces has all that the host has", slow(skip), async () => {
    const app = await told(lab.node, "host", "app")
    assert.equal(BigInt(`0x${app.get("CapEff")}`) & (1n << BigInt(sysAdmin!)), 1n << BigInt(sysAdmin!))
    assert.equal(app.get("Seccomp"), "0")
    for (const kind of ["net", "pid", "ipc"]) assert.equal(app.get(kind), readlinkSync(`/proc/self/ns/${kind}`), kind)
    assert.equal(app.get("name"), hostname())
    assert.equal(app.get("masked"), "0", "/proc is not masked")
    assert.equal(app.get("sys"), "0", "/sys is writable")
  })

  // conformance: RuntimeClass should schedule a Pod requesting a RuntimeClass without PodOverhead
  // conformance: RuntimeClass should schedule a Pod requesting a RuntimeClass and initialize its Overhead
  it("a pod runs by the handler of its RuntimeClass, and costs its overhead", slow(skip), async () => {
    const { node, dir } = lab
    const { data } = await node.waitFor("PodAdmitted", "pod/default/classed")
    assert.equal(data.runtimeHandler, "second")
    assert.deepEqual((data.pod as { readonly spec: Fields }).spec.overhead, { cpu: "100m", memory: "16Mi" })
    const cgroup = await node.waitFor("PodCgroupCreated", "pod/default/classed")
    assert.equal((cgroup.data.values as { readonly cpuShares: number }).cpuShares, 204)
    await told(node, "classed", "app")
    assert.ok(existsSync(join(dir, "c", "second")), "where that handler keeps its state")
    const simple = await node.waitFor("PodAdmitted", "pod/default/simple")
    assert.equal(simple.data.runtimeHandler, "second")
    assert.equal((simple.data.pod as { readonly spec: Fields }).spec.overhead, undefined)
    await told(node, "simple", "app")
  })

  // conformance: RuntimeClass should reject a Pod requesting a non-existent RuntimeClass
  // conformance: RuntimeClass should reject a Pod requesting a deleted RuntimeClass
  it("a class that stands nowhere is taken for a handler, which the runtime may not know", slow(skip), async () => {
    const { node } = lab
    await told(node, "bare", "app")
    const failed = await node.waitFor("SandboxFailed", "pod/default/unclassed")
    assert.match(String(failed.data.message), /no runtime for "missing" is configured/)
    await told(node, "classed", "app")
    node.remove("other.json")
    await node.waitFor("ObjectRemoved", undefined, { kind: "RuntimeClass", name: "other" })
    node.put("late.json", pod("late", { runtimeClassName: "other", containers: [telling("app", {})] }))
    const late = await node.waitFor("SandboxFailed", "pod/default/late")
    assert.match(String(late.data.message), /no runtime for "other" is configured/)
  })

  it("what cannot be kept is refused, each for its reason", slow(skip), async () => {
    const { node } = lab
    const start = await node.waitFor("ContainerStartFailed", "pod/default/root")
    assert.equal(start.data.reason, "CreateContainerConfigError")
    assert.match(String(start.data.message), /runAsNonRoot/)
    const sysctl = await node.waitFor("PodRejected", "pod/default/sysctl")
    assert.deepEqual(
      [sysctl.data.reason, sysctl.data.message, sysctl.data.field],
      ["SysctlForbidden", 'forbidden sysctl: "kernel.msgmax" not allowlisted', "spec.securityContext.sysctls[0].name"]
    )
    if (!existsSync("/sys/kernel/security/apparmor")) {
      const apparmor = await node.waitFor("PodRejected", "pod/default/apparmor")
      assert.equal(apparmor.data.message, "Cannot enforce AppArmor: AppArmor is not enabled on the host")
    }
    const connected = await node.waitFor("RuntimeConnected")
    if ((connected.data.handlers as ReadonlyArray<unknown>).length > 0) return
    const strict = await node.waitFor("PodRejected", "pod/default/strict")
    assert.equal(strict.data.reason, "SupplementalGroupsPolicyNotSupported")
    const ids = await node.waitFor("SandboxFailed", "pod/default/users-of-its-own")
    assert.match(
      String(ids.data.message),
      /^can't set `spec\.hostUsers: false`, runtime does not support user namespaces/
    )
  })
})

describe("security settings on a newer containerd", () => {
  const binaries = fileURLToPath(new URL("../../.cache/lab/containerd/sid", import.meta.url))
  const absent = existsSync(join(binaries, "containerd"))
    ? undefined
    : "needs Debian sid's containerd: sh scripts/lab/newer-containerd.sh sid"
  /** runc has mounts with ids of their own since 1.2. */
  const runc = fileURLToPath(new URL("../../.cache/lab/runc/sid/runc", import.meta.url))
  const skip = whyNoContainerd() ?? absent
  let lab: Lab
  before(async () => {
    if (skip === undefined)
      lab = await startLab(
        {},
        {
          binaries,
          ...(existsSync(runc) ? { runc } : {})
        }
      )
  }, slow(undefined))
  after(() => lab?.close(), slow(undefined))

  it("Strict leaves out the groups that the image gives to its user", slow(skip), async () => {
    const { node } = lab
    for (const policy of ["Merge", "Strict"]) {
      const securityContext = { runAsUser: 65_534, supplementalGroups: [4000], supplementalGroupsPolicy: policy }
      const name = policy.toLowerCase()
      node.put(`${name}.json`, pod(name, { restartPolicy: "Never", securityContext, containers: [telling("app", {})] }))
    }
    const groups = async (name: string) => (await told(node, name, "app")).get("Groups")?.split(" ")
    assert.deepEqual(
      (await groups("merge"))?.filter((g) => g === "50" || g === "4000"),
      ["50", "4000"]
    )
    assert.deepEqual(
      (await groups("strict"))?.filter((g) => g === "50" || g === "4000"),
      ["4000"]
    )
  })

  it(
    "pods have users of their own, each other ones, and keep them when the agent begins again",
    slow(skip),
    async () => {
      const { node } = lab
      const connected = await node.waitFor("RuntimeConnected")
      const handlers = connected.data.handlers as ReadonlyArray<{
        readonly name: string
        readonly userNamespaces: boolean
      }>
      if (!handlers.some(({ name, userNamespaces }) => name === "" && userNamespaces)) {
        console.log(
          `skipped: no user namespaces with this runc (sh scripts/lab/newer-runc.sh): ${JSON.stringify(handlers)}`
        )
        return
      }
      const put = (name: string) =>
        node.put(
          `${name}.json`,
          pod(name, {
            ...{ hostUsers: false, restartPolicy: "Never" },
            volumes: [{ name: "data", emptyDir: {} }],
            containers: [
              telling(
                "app",
                { procMount: "Unmasked" },
                "echo map: $(cat /proc/self/uid_map); touch /data/x; echo owner: $(stat -c %u:%g /data/x); echo masked: $(grep -c ' /proc/sys ' /proc/mounts)",
                { volumeMounts: [{ name: "data", mountPath: "/data" }] }
              )
            ]
          })
        )
      const hostIdOf = async (name: string) => {
        const { data } = await node.waitFor("PodAdmitted", `pod/default/${name}`)
        const { hostId, length } = data.userNamespace as { readonly hostId: number; readonly length: number }
        assert.equal(length, 65_536)
        return hostId
      }
      put("a")
      put("b")
      const [a, b] = [await hostIdOf("a"), await hostIdOf("b")]
      assert.deepEqual(
        [a, b].sort((x, y) => x - y),
        [65_536, 131_072]
      )
      const ended = await node.until("the end of a, or why it did not begin", (events) =>
        events.find(
          (e) => e.actor === "pod/default/a" && /^(ContainerExited|SandboxFailed|ContainerStartFailed)$/u.test(e.tag)
        )
      )
      if (ended.tag !== "ContainerExited") {
        // Mounts of ids need the kernel, its file systems and runc.
        console.log(`skipped: user namespaces do not work here: ${String(ended.data.message)}`)
        return
      }
      const app = await told(node, "a", "app")
      assert.equal(app.get("map"), `0 ${a} 65536`)
      assert.equal(app.get("Uid"), "0 0 0 0")
      assert.equal(app.get("owner"), "0:0", "the volume's files are the container's")
      assert.equal(app.get("masked"), "0", "/proc is not masked")
      await node.kill()
      await node.start()
      put("c")
      assert.equal(await hostIdOf("c"), 196_608)
      assert.equal((await told(node, "c", "app")).get("map"), "0 196608 65536")
    }
  )
})
