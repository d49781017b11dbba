/** What committed events, calls of ports and meters tell in /metrics. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { MemoryRuntime } from "../../../src/adapters/cri/memory.ts"
import { imageSizeClass } from "../../../src/adapters/metrics/counting.ts"
import { timed } from "../../../src/adapters/metrics/metered.ts"
import { makeNodeMetrics } from "../../../src/adapters/metrics/node-metrics.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import type { NodeEvent } from "../../../src/events/catalogue.ts"
import { timestamp } from "../../../src/events/definition.ts"
import type { RecordedEvent } from "../../../src/events/envelope.ts"
import { usageOf } from "../../support/node-usage.ts"
import { parsePrometheus, valueIn } from "../../support/prometheus-text.ts"

const web = actorId("pod", "default", "web")
const start = Date.UTC(2026, 0, 15, 9, 30)

const made = () => {
  const metrics = makeNodeMetrics({
    nodeName: "node1",
    build: { version: "1" },
    kubernetes: { major: "1" },
    typeOf: (_, container) => (container.startsWith("init") ? "init_container" : "container")
  })
  let sequence = 0
  return {
    metrics,
    /** One commit: an event `at` milliseconds after the start, in the journal 5 ms later. */
    happens: (at: number, event: object, actor = web, cause?: string): string => {
      sequence += 1
      const id = `event-${sequence}`
      metrics.onCommit([
        {
          id,
          node: "node1",
          actor,
          subject: undefined,
          time: timestamp(start + at),
          recordedTime: timestamp(start + at + 5),
          sequence,
          actorSequence: sequence,
          cause,
          correlation: undefined,
          traceparent: undefined,
          severity: "INFO",
          command: undefined,
          event: event as NodeEvent
        } satisfies RecordedEvent<NodeEvent>
      ])
      return id
    },
    told: (name: string, labels = {}) => valueIn(parsePrometheus(metrics.text(undefined)), name, labels)
  }
}

const pod = (spec: object = {}) => ({
  metadata: { name: "web", namespace: "default", uid: "u1" },
  spec: {
    containers: [
      { name: "a", image: "busybox" },
      { name: "b", image: "nginx" }
    ],
    ...spec
  }
})

describe("events in /metrics", () => {
  it("counts evictions by signal, and how old their figures were", () => {
    const { happens, told } = made()
    const event = { _tag: "EvictionTriggered", signal: "memory.available", observedAt: timestamp(start + 250) }
    happens(500, event, actorId("eviction", "", "pods"))
    const labels = { eviction_signal: "memory.available" }
    assert.equal(told("kubelet_evictions", labels), 1)
    assert.equal(told("kubelet_eviction_stats_age_seconds_sum", labels), 0.25)
  })

  it("count starts of sandboxes and containers, and those that fail, by kubelet's words", () => {
    const { happens, told } = made()
    happens(0, { _tag: "SandboxRequested", attempt: 0, reason: "" })
    happens(1, { _tag: "SandboxFailed", attempt: 0, message: "", failures: 1 })
    happens(2, { _tag: "ContainerStartRequested", container: "init-a" })
    happens(3, { _tag: "ContainerStartRequested", container: "a" })
    happens(4, { _tag: "ContainerStartFailed", container: "a", reason: "RunContainerError", message: "no" })
    happens(5, { _tag: "PodRejected", uid: "u", source: "", reason: "OutOfcpu", message: "" })
    happens(6, { _tag: "PodRejected", uid: "u", source: "", reason: 'strange "words"', message: "" })
    happens(7, { _tag: "OrphanSandboxFound", sandboxId: "s" })
    assert.equal(told("kubelet_started_pods_total"), 1)
    assert.equal(told("kubelet_started_pods_errors_total"), 1)
    assert.equal(told("kubelet_started_containers_total", { container_type: "init_container" }), 1)
    assert.equal(told("kubelet_started_containers_total", { container_type: "container" }), 1)
    assert.equal(told("kubelet_started_containers_errors_total", { code: "RunContainerError" }), 1)
    assert.equal(told("kubelet_admission_rejections_total", { reason: "OutOfcpu" }), 1)
    assert.equal(told("kubelet_admission_rejections_total", { reason: "Other" }), 1)
    assert.equal(told("kubelet_orphaned_runtime_pods_total"), 1)
    assert.equal(told("chronode_events_total", { type: "PodRejected" }), 2)
    assert.equal(told("chronode_journal_sequence"), 8)
  })

  it("count preempted pods by what there was too little of", () => {
    const { happens, told } = made()
    const message = "Node didn't have enough resource: memory, requested: 2, used: 1, capacity: 2"
    happens(0, { _tag: "PodPreemptionDecided", pod: pod(), preempted: [{}, {}], message })
    assert.equal(told("kubelet_preemptions", { preemption_signal: "memory" }), 2)
  })

  it("tell how long a pod took to run, and how long without pulls and init containers", () => {
    const { happens, told } = made()
    const read = happens(0, { _tag: "ManifestRead" }, actorId("source", "", "files"))
    const spec = { initContainers: [{ name: "init", image: "busybox" }] }
    happens(100, { _tag: "PodAdmitted", pod: pod(spec), source: "web.yaml", qosClass: "BestEffort" }, web, read)
    const image = actorId("image", "", "nginx")
    happens(1000, { _tag: "ImagePullStarted", image: "nginx", attempt: 1 }, image)
    happens(3000, { _tag: "ImagePulled", image: "nginx", imageId: "i", duration: 2000, size: 20 * 2 ** 20 }, image)
    happens(4000, { _tag: "ContainerStarted", container: "init" })
    happens(7000, { _tag: "ContainerExited", container: "init" })
    happens(8000, { _tag: "PodPhaseChanged", from: "Pending", to: "Running" })
    assert.equal(told("kubelet_pod_start_duration_seconds_sum"), 8)
    assert.equal(told("kubelet_pod_start_total_duration_seconds_sum"), 8)
    assert.equal(told("kubelet_pod_start_sli_duration_seconds_sum"), 3)
    assert.equal(told("kubelet_first_network_pod_start_sli_duration_seconds"), 3)
    assert.equal(told("kubelet_pod_worker_start_duration_seconds_sum"), 0.105)
    assert.equal(told("kubelet_pod_status_sync_duration_seconds_bucket", { le: "0.01" }), 1)
    assert.equal(told("kubelet_containers_per_pod_count_sum"), 2)
    const pulls = "kubelet_image_pull_duration_seconds_sum"
    assert.equal(told(pulls, { image_size_in_bytes: "10MB-100MB" }), 2)
    // A pod that runs again starts no second time.
    happens(9000, { _tag: "PodPhaseChanged", from: "Running", to: "Running" })
    assert.equal(told("kubelet_pod_start_duration_seconds_count"), 1)
  })

  it("count a pod that came again with its uid", () => {
    const { happens, told } = made()
    const admitted = { _tag: "PodAdmitted", pod: pod(), source: "web.yaml", qosClass: "BestEffort" }
    happens(0, admitted)
    happens(1, { _tag: "PodRemoved", uid: "u1" })
    assert.equal(told("kubelet_restarted_pods_total"), 0)
    happens(2, admitted)
    assert.equal(told("kubelet_restarted_pods_total"), 1)
  })

  it("count evictions by signal, with the age of their figures, images that were removed by reason, and shutdowns", () => {
    const { happens, told } = made()
    const eviction = actorId("eviction", "", "node1")
    const observedAt = timestamp(start)
    happens(2000, { _tag: "EvictionTriggered", signal: "memory.available", observedAt }, eviction)
    happens(2001, { _tag: "EvictionTriggered", signal: "emptydirfs.limit" }, eviction)
    assert.equal(told("kubelet_evictions", { eviction_signal: "memory.available" }), 1)
    assert.equal(told("kubelet_evictions", { eviction_signal: "emptydirfs.limit" }), 1)
    assert.equal(told("kubelet_eviction_stats_age_seconds_sum", { eviction_signal: "memory.available" }), 2)
    const runtime = actorId("runtime", "", "cri")
    for (const trigger of ["HighThreshold", "MaximumAge", "MaximumAge"]) {
      happens(3000, { _tag: "ImageCollectionDecided", trigger }, runtime)
      happens(3001, { _tag: "GarbageRemoved", what: "Image", id: "sha256:1" }, runtime)
    }
    happens(3002, { _tag: "GarbageRemoved", what: "Container", id: "1" }, runtime)
    assert.equal(told("kubelet_image_garbage_collected_total", { reason: "space" }), 1)
    assert.equal(told("kubelet_image_garbage_collected_total", { reason: "age" }), 2)
    assert.equal(told("kubelet_graceful_shutdown_start_time_seconds"), 0)
    const node = actorId("node", "", "node1")
    happens(4000, { _tag: "NodeShutdownStarted", groups: [] }, node)
    happens(9000, { _tag: "NodeShutdownCompleted", seconds: 5, left: [], leftCount: 0 }, node)
    assert.equal(told("kubelet_graceful_shutdown_start_time_seconds"), (start + 4000) / 1000)
    assert.equal(told("kubelet_graceful_shutdown_end_time_seconds"), (start + 9000) / 1000)
  })

  it("class images by size as kubelet does", () => {
    const classes = [undefined, 0, 5, 10, 100, 500, 1024, 10_240, 51_200, 102_400].map((mebibytes) =>
      imageSizeClass(mebibytes === undefined ? undefined : mebibytes * 2 ** 20)
    )
    assert.deepEqual(classes, [
      ...["N/A", "N/A", "0-10MB", "10MB-100MB", "100MB-500MB", "500MB-1GB", "1GB-10GB", "10GB-50GB"],
      ...["50GB-100GB", "GT100GB"]
    ])
  })
})

describe("calls and meters in /metrics", () => {
  it("time calls of the runtime under kubelet's names, also those that fail", async () => {
    const { metrics, told } = made()
    const calls = Effect.gen(function* () {
      const { runtime: bare } = yield* MemoryRuntime.make()
      const runtime = metrics.runtime(bare)
      yield* runtime.version
      yield* runtime.listPodSandboxes({})
      yield* Effect.flip(runtime.containerStatus("nobody"))
    })
    await Effect.runPromise(Effect.scoped(calls))
    assert.equal(told("kubelet_runtime_operations_total", { operation_type: "version" }), 1)
    assert.equal(told("kubelet_runtime_operations_total", { operation_type: "list_podsandbox" }), 1)
    assert.equal(told("kubelet_runtime_operations_errors_total", { operation_type: "container_status" }), 1)
    assert.equal(told("kubelet_runtime_operations_errors_total", { operation_type: "version" }), undefined)
    assert.equal(told("kubelet_runtime_operations_duration_seconds_count", { operation_type: "version" }), 1)
  })

  it("time a call that is interrupted, which is no failure", async () => {
    const outcomes: Array<string> = []
    const call = timed(Effect.never, (_, outcome) => outcomes.push(outcome))
    await Effect.runPromise(Effect.timeoutOption(call, 5))
    assert.deepEqual(outcomes, ["interrupted"])
  })

  it("tell of looks at the runtime and of what actors do", () => {
    const { metrics, told } = made()
    metrics.meter.relisted({ at: start, milliseconds: 20 })
    metrics.meter.relisted({ at: start + 1000, milliseconds: 20 })
    metrics.onReacted("pod", "SandboxRequested", 250)
    metrics.onReacted("probe", "ProbeStarted", 1)
    assert.equal(told("kubelet_pleg_relist_duration_seconds_count"), 2)
    assert.equal(told("kubelet_pleg_relist_interval_seconds_sum"), 1)
    assert.equal(told("kubelet_pleg_last_seen_seconds"), (start + 1020) / 1000)
    assert.equal(told("kubelet_pod_worker_duration_seconds_sum", { operation_type: "create" }), 0.25)
    assert.equal(told("chronode_reaction_duration_seconds_count", { kind: "probe" }), 1)
  })

  it("count answers of probes on /metrics/probes until their pod is gone", () => {
    const { happens, metrics } = made()
    const probe = { namespace: "default", pod: "web", podUid: "u1", container: "a", probe: "liveness" } as const
    metrics.meter.probed({ ...probe, result: "success", milliseconds: 3 })
    metrics.meter.probed({ ...probe, result: "error", milliseconds: 0 })
    metrics.meter.probed({ ...probe, pod: "other", result: "failure", milliseconds: 3 })
    const told = parsePrometheus(metrics.probesText())
    const labels = { probe_type: "Liveness", pod: "web", pod_uid: "u1", container: "a", namespace: "default" }
    assert.equal(valueIn(told, "prober_probe_total", { ...labels, result: "successful" }), 1)
    assert.equal(valueIn(told, "prober_probe_total", { ...labels, result: "unknown" }), 1)
    assert.equal(valueIn(told, "prober_probe_duration_seconds_count", { pod: "web" }), 1)
    happens(0, { _tag: "PodRemoved", uid: "u1" })
    const later = parsePrometheus(metrics.probesText())
    assert.equal(valueIn(later, "prober_probe_total", { pod: "web" }), undefined)
    assert.equal(valueIn(later, "prober_probe_total", { pod: "other" }), 1)
  })

  it("are of the format, whatever was counted", () => {
    const { metrics } = made()
    const families = parsePrometheus(metrics.text(usageOf(3, 2, start)))
    // kubelet's own names.
    const others = families.filter(({ name, type }) => type === "counter" && !name.endsWith("_total"))
    assert.deepEqual(
      others.map(({ name }) => name),
      ["kubelet_pleg_discard_events", "kubelet_server_expiration_renew_errors"]
    )
    assert.equal(valueIn(families, "kubelet_node_name", { node: "node1" }), 1)
    assert.equal(valueIn(families, "kubernetes_build_info", { major: "1" }), 1)
  })
})
