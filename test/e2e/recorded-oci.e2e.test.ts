// runtimes: bun (deno)
/**
 * The pods of test/cases/cri-configs, run by the agent on real containerds: what the runtime says that it was told, and the
 * OCI spec that it made of it, against what it was told and made under a real kubelet 1.36.2 (containerd 2.1.9, cgroup v1,
 * cgroupfs driver). A difference is allowed only by name and with a reason, which is printed with a count.
 */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, realpathSync } from "node:fs"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { after, before, describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import { type LabContainerd, startContainerd, whyNoContainerd } from "../../scripts/lab/containerd.ts"
import { removeScratch } from "../../scripts/test/scratch.ts"
import { askVerbose } from "../adapters/cri/verbose.ts"
import { isEvent, NodeUnderTest } from "../support/agent.ts"
import { caseNames, type RowValue, readCase, withoutZero } from "../support/cases.ts"
import type { Happened } from "../support/journal-tail.ts"
import { type Difference, differences, type Excuse, recordedReasons } from "../support/recorded-configs.ts"

const image = "docker.io/library/busybox:1.35"
/** As the recordings' image has them. */
const images = {
  [image]: { config: { Env: ["PATH=/bin:/usr/bin:/sbin"], Entrypoint: ["/bin/sleep", "1000000"] } }
}

/** What the recorded cluster had beside the pods. */
const objects = [
  {
    ...{ apiVersion: "v1", kind: "Service", metadata: { name: "kubernetes", namespace: "default" } },
    spec: { clusterIP: "10.96.0.1", ports: [{ name: "https", port: 443, protocol: "TCP", targetPort: 6443 }] }
  },
  { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "cm1" }, data: { k1: "v1", k2: "two words" } },
  { apiVersion: "v1", kind: "Secret", metadata: { name: "s1" }, stringData: { token: "abc", user: "admin" } }
]

interface Recording {
  readonly name: string
  readonly content: RowValue
}
const recordings: ReadonlyArray<Recording> = caseNames("cri-configs").map((name) => ({
  name,
  content: readCase(`cri-configs/${name}`)
}))

/** Mounts spread from the host into containers only where its `/` lets them (proc_pid_mountinfo(5), field 7). */
const spreadsMounts = readFileSync("/proc/self/mountinfo", "utf8")
  .split("\n")
  .map((line) => line.split(" "))
  .some(
    (fields) =>
      fields[4] === "/" && fields.slice(6, fields.indexOf("-")).some((tag) => /^(?:shared|master):/u.test(tag))
  )

/** The manifest as it was applied, under the uid that the API server gave it then. */
const manifestOf = ({ content }: Recording): RowValue => {
  const text = JSON.stringify(content.pod).replaceAll('"IMAGE"', JSON.stringify(image))
  const pod = JSON.parse(spreadsMounts ? text : text.replaceAll(/"mountPropagation":"HostToContainer",/gu, ""))
  return { ...pod, metadata: { ...pod.metadata, uid: content.created.metadata.uid } }
}

/** Which containerd, and what differs on it from the recorded one, by name. */
interface Runtime {
  readonly title: string
  readonly binaries?: string
  readonly excuses: ReadonlyArray<Excuse>
}

/** By name: kubelet hands variables over in the order of a Go map. */
const byName = (texts: ReadonlyArray<string>): Readonly<Record<string, string>> =>
  Object.fromEntries(texts.map((text) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)]))

const excuses: ReadonlyArray<Excuse> = [
  ...recordedReasons,
  {
    reason: "the pod's source is a file here and was an API server there",
    when: ({ path }) => /^annotations\.kubernetes\.io\/config\.(?:source|seen|hash)$/u.test(path)
  },
  {
    reason: "the image's id is that of the lab's image",
    when: ({ path, ours, theirs }) =>
      path === "image.image" && [ours, theirs].every((id) => /^sha256:[0-9a-f]{64}$/u.test(String(id)))
  },
  {
    reason: "the score of a Burstable pod depends on the node's memory",
    when: ({ path, ours, theirs }) =>
      /oom_?score_?adj$/iu.test(path) && [ours, theirs].every((score) => Number(score) > 2 && Number(score) < 1000)
  },
  {
    reason: "what the node's own resolv.conf says",
    when: ({ path }) => /^dns_config\.(?:servers\.\d+|searches)/u.test(path)
  },
  {
    reason: "HostToContainer is not asked for where the host's / is a private mount: the runtime would refuse",
    when: ({ path, ours }) => /^mounts\.\d+\.propagation$/u.test(path) && ours === undefined && !spreadsMounts
  },
  {
    reason: "the node's own host name",
    when: ({ path, ours }) => path === "env.HOSTNAME" && ours === hostname()
  }
]
/** containerd 1.6 speaks a CRI that is older than these fields. */
const ofOldContainerd: ReadonlyArray<Excuse> = [
  {
    reason: "this containerd does not know image.user_specified_image",
    when: ({ path, ours }) => path === "image.user_specified_image" && ours === undefined
  }
]

const isOld = (program: string) =>
  / v?1\.[0-6]\./u.test(spawnSync(program, ["--version"], { encoding: "utf8" }).stdout ?? "")
const newer = (suite: string) => fileURLToPath(new URL(`../../.cache/lab/containerd/${suite}`, import.meta.url))
const runtimes: ReadonlyArray<Runtime> = [
  { title: "containerd as installed", excuses: [...excuses, ...(isOld("containerd") ? ofOldContainerd : [])] },
  { title: "containerd of Debian sid", binaries: newer("sid"), excuses },
  ...(process.env.CHRONODE_BOTH === "1"
    ? [{ title: "containerd of Debian trixie", binaries: newer("trixie"), excuses }]
    : [])
]

for (const { title, binaries, excuses: allowed } of runtimes) {
  const absent =
    binaries === undefined || existsSync(join(binaries, "containerd"))
      ? undefined
      : "needs sh scripts/lab/newer-containerd.sh"
  const skip = whyNoContainerd() ?? absent
  const options = skip === undefined ? { timeout: 120_000 } : { timeout: 120_000, skip }

  describe(`the recorded pods on ${title}`, { concurrency: false }, () => {
    let dir: string
    let lab: LabContainerd
    let node: NodeUnderTest
    // Of this lab's own: the recorded uids are the same in every run.
    let cgroupRoot: string
    const reasons = new Map<string, number>()
    const counts = { equal: 0, listed: 0 }

    before(async () => {
      if (skip !== undefined) return
      dir = realpathSync(mkdtempSync(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "o-")))
      lab = await startContainerd(join(dir, "c"), { images, ...(binaries === undefined ? {} : { binaries }) })
      const configuration = { cgroupDriver: "cgroupfs", clusterDNS: ["10.96.0.10"], clusterDomain: "cluster.local" }
      node = new NodeUnderTest({ dir: join(dir, "n"), name: "kb", cri: lab.endpoint, configuration })
      cgroupRoot = node.cgroupRoot
      for (const object of objects) node.put(`${object.kind}.json`, object)
      for (const recording of recordings) node.put(recording.name, manifestOf(recording))
      await node.start()
    }, options)
    after(async () => {
      await node?.kill()
      await lab?.stop()
      if (dir !== undefined) await removeScratch(dir)
    }, options)

    /** Texts of this run as the recordings write them. */
    const normal = (value: RowValue, ids: ReadonlyMap<string, string>): RowValue => {
      if (typeof value === "string") {
        let text = value.replaceAll(node.dataDir, "$ROOT/agent").replaceAll(node.podLogs, "$ROOT/logs")
        text = text.replaceAll(cgroupRoot, "/kb")
        for (const [id, name] of ids) text = text.replaceAll(id, name)
        return text
      }
      if (Array.isArray(value)) return value.map((inner) => normal(inner, ids))
      if (typeof value !== "object" || value === null) return value
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, normal(inner, ids)]))
    }

    /** Answers the differences that nothing excuses; the reasons of the others go to `met`. */
    const judge = (what: string, ours: RowValue, theirs: RowValue, met: Set<string>): ReadonlyArray<string> =>
      differences(withoutZero(ours), withoutZero(theirs)).flatMap((difference) => {
        const excuse = allowed.find(({ when }) => when(difference))
        if (excuse === undefined) return [`${what}: ${told(difference)}`]
        met.add(excuse.reason)
        return []
      })
    const told = ({ path, ours, theirs }: Difference) =>
      `${path} is ${JSON.stringify(ours)}, under kubelet ${JSON.stringify(theirs)}`

    const compared = (config: RowValue) => ({
      ...config,
      envs: Object.fromEntries((config.envs ?? []).map(({ key, value }: RowValue) => [key, value ?? ""]))
    })
    /** A container that ended was recorded in a later life: as it would have been told in its first one. */
    const inFirstLife = (config: RowValue, met: Set<string>): RowValue => {
      const { attempt } = config.metadata
      if (attempt === undefined) return config
      met.add("recorded at a later attempt of the container")
      const { name } = config.metadata
      const restarts = { "io.kubernetes.container.restartCount": "0" }
      assert.equal(config.log_path, `${name}/${attempt}.log`)
      return {
        ...config,
        metadata: { name },
        log_path: `${name}/0.log`,
        annotations: { ...config.annotations, ...restarts }
      }
    }

    const compare = async ({ name, content }: Recording) => {
      const pod = manifestOf({ name, content })
      const actor = `pod/${pod.metadata.namespace}/${pod.metadata.name}`
      const theirs = content.containers[0]
      const wanted = isEvent("ContainerStarted", actor, { container: theirs.metadata.name, attempt: 0 })
      const [started, sandbox] = await node.until(`container ${theirs.metadata.name} of ${actor}`, (events) => {
        const refused = events.find((event) => isRefusal(event, name))
        assert.ok(refused === undefined, `refused: ${JSON.stringify(refused?.data)}`)
        const start = events.find(wanted)
        const made = events.find(isEvent("SandboxCreated", actor))
        return start === undefined || made === undefined ? undefined : ([start, made] as const)
      })
      const [sandboxId, containerId] = [sandbox.data.sandboxId as string, started.data.containerId as string]
      const [ofSandbox, ofContainer] = await askVerbose(lab.endpoint, (questions) =>
        Effect.all([questions.sandbox(sandboxId), questions.container(containerId)])
      )
      const recordedId = String(content.cgroups[0]).split("/").at(-1)!
      const ids = new Map([[containerId, recordedId]])
      const met = new Set<string>()
      const [ours, specs] = [normal(ofContainer.config, ids), normal(ofContainer.runtimeSpec, ids)]
      const { args, cwd, env, noNewPrivileges, oomScoreAdj, terminal, user } = specs.process
      const ourProcess = { args, cwd, env: byName(env), noNewPrivileges, oomScoreAdj, terminal, user }
      const theirProcess = { ...content.process[0], env: byName(content.process[0].env) }
      const unexpected = [
        ...judge("sandbox", normal(ofSandbox.config, ids), content.sandboxes[0], met),
        ...judge("container", compared(ours), compared(inFirstLife(theirs, met)), met),
        ...judge("linux.cgroupsPath", [specs.linux.cgroupsPath], content.cgroups, met),
        ...judge("linux.resources", specs.linux.resources, content.linux[0], met),
        ...judge("process", ourProcess, theirProcess, met)
      ]
      assert.equal(unexpected.length, 0, unexpected.join("\n"))
      return met
    }
    const isRefusal = ({ tag, data }: Happened, file: string) =>
      tag === "ManifestInvalid" && JSON.stringify(data).includes(`/${file}`)

    for (const recording of recordings) {
      it(`are told as kubelet told them: ${recording.name}`, options, async () => {
        const met = await compare(recording)
        counts[met.size === 0 ? "equal" : "listed"] += 1
        for (const reason of met) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
      })
    }
    it("are all compared", options, () => {
      console.log(
        `cases: cri-configs on ${title}: ${counts.equal} equal, ${counts.listed} equal but for listed differences`
      )
      for (const [reason, count] of reasons)
        console.log(`cases: cri-configs on ${title}: listed in ${count}: ${reason}`)
      assert.equal(counts.equal + counts.listed, recordings.length)
    })
  })
}
