/**
 * The families of `/metrics` and `/metrics/probes`: kubelet's names, labels and buckets (`pkg/kubelet/metrics/metrics.go`,
 * `pkg/kubelet/prober/prober_manager.go`, `pkg/kubelet/server/metrics/metrics.go`), and Chronode's own.
 */
import {
  type Description,
  defaultBuckets,
  exponentialBuckets,
  type Labels,
  makeRegistry,
  type Registry
} from "./registry.ts"

/** Of starts of pods, seconds. */
const podStartBuckets = [
  0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600
]
const pullBuckets = [1, 5, 10, 20, 30, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600]
const statusBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 30, 45, 60]
const storageBuckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600]
const runtimeBuckets = exponentialBuckets(0.005, 2.5, 14)
/** Of appends to the journal, seconds: 0.1 ms to 1.6 s. */
const appendBuckets = exponentialBuckets(0.0001, 2, 15)
/** Of what actors do about events, seconds: 1 ms to 65 s. */
const reactionBuckets = exponentialBuckets(0.001, 4, 9)

/** Probes of 110 pods with several containers, by kind and result. */
const maxProbeSeries = 20_000

const of = (name: string, help: string, series?: ReadonlyArray<Labels>): Description => ({
  name,
  help,
  ...(series === undefined ? {} : { series })
})
/** With labels that only time brings. */
const later = (name: string, help: string): Description => of(name, help, [])

const containerTypes = ["container", "init_container", "ephemeral_container"].map((type) => ({ container_type: type }))

export const addKubeletFamilies = (registry: Registry) => {
  const { counter, gauge, histogram } = registry
  const kubelet = (name: string, help: string, series?: ReadonlyArray<Labels>) => of(`kubelet_${name}`, help, series)
  return {
    nodeName: gauge(kubelet("node_name", "The node, as a label.", [])),
    containersPerPod: histogram(
      kubelet("containers_per_pod_count", "Containers of each pod that was admitted."),
      exponentialBuckets(1, 2, 5)
    ),
    podStart: histogram(
      kubelet("pod_start_duration_seconds", "From the manifest that was read to the pod that runs, in seconds."),
      podStartBuckets
    ),
    podStartSli: histogram(
      kubelet(
        "pod_start_sli_duration_seconds",
        "From the manifest that was read to the pod that runs, without pulls of images and init containers, in seconds."
      ),
      podStartBuckets
    ),
    podStartTotal: histogram(
      kubelet(
        "pod_start_total_duration_seconds",
        "From the manifest that was read to the pod that runs, with pulls of images and init containers, in seconds."
      ),
      podStartBuckets
    ),
    firstNetworkPodStart: gauge(
      kubelet(
        "first_network_pod_start_sli_duration_seconds",
        "What the start of the first pod with a network took, without pulls and init containers, in seconds.",
        []
      )
    ),
    podWorker: histogram(
      kubelet("pod_worker_duration_seconds", "What one step for a pod took, in seconds, by kind of step.", []),
      defaultBuckets
    ),
    podWorkerStart: histogram(
      kubelet(
        "pod_worker_start_duration_seconds",
        "From the manifest that was read to the pod's admission, in seconds."
      ),
      defaultBuckets
    ),
    podStatusSync: histogram(
      kubelet(
        "pod_status_sync_duration_seconds",
        "From a change of a pod's status to where it can be read, the journal, in seconds."
      ),
      statusBuckets
    ),
    relistDuration: histogram(
      kubelet("pleg_relist_duration_seconds", "What a look at all containers of the runtime took, in seconds."),
      defaultBuckets
    ),
    relistInterval: histogram(
      kubelet("pleg_relist_interval_seconds", "From one look at all containers to the next, in seconds."),
      defaultBuckets
    ),
    relistLastSeen: gauge(
      kubelet("pleg_last_seen_seconds", "When all containers were last looked at, seconds since the epoch.")
    ),
    relistDiscarded: counter(
      kubelet(
        "pleg_discard_events",
        "Events of containers that were dropped: none, each look at the runtime tells all."
      )
    ),
    runtimeOperations: counter(later("kubelet_runtime_operations_total", "Calls of the container runtime, by kind.")),
    runtimeDuration: histogram(
      later("kubelet_runtime_operations_duration_seconds", "What calls of the container runtime took, in seconds."),
      runtimeBuckets
    ),
    runtimeErrors: counter(
      later("kubelet_runtime_operations_errors_total", "Calls of the container runtime that failed, by kind.")
    ),
    sandboxDuration: histogram(
      later(
        "kubelet_run_podsandbox_duration_seconds",
        "What making sandboxes took, in seconds, by the runtime's handler."
      ),
      defaultBuckets
    ),
    sandboxErrors: counter(
      later("kubelet_run_podsandbox_errors_total", "Sandboxes that could not be made, by the runtime's handler.")
    ),
    startedPods: counter(kubelet("started_pods_total", "Sandboxes that were to be made.")),
    startedPodsErrors: counter(kubelet("started_pods_errors_total", "Sandboxes that could not be made.")),
    startedContainers: counter(
      kubelet("started_containers_total", "Containers that were to be started, by kind.", containerTypes)
    ),
    startedContainersErrors: counter(
      later("kubelet_started_containers_errors_total", "Containers that could not be started, by kind and reason.")
    ),
    restartedPods: counter(
      kubelet("restarted_pods_total", "Pods that came again, after they had been removed, with the same uid.", [
        { static: "true" }
      ])
    ),
    orphanedPods: counter(
      kubelet("orphaned_runtime_pods_total", "Sandboxes of this node's pods that were found without their pod.")
    ),
    evictions: counter(later("kubelet_evictions", "Pods that were evicted, by the signal that led to it.")),
    evictionStatsAge: histogram(
      later("kubelet_eviction_stats_age_seconds", "How old the figures were on which a pod was evicted, in seconds."),
      defaultBuckets
    ),
    preemptions: counter(
      later(
        "kubelet_preemptions",
        "Pods that gave their place to one of higher priority, by what there was too little of."
      )
    ),
    pullDuration: histogram(
      later("kubelet_image_pull_duration_seconds", "What pulls of images took, in seconds, by the image's size."),
      pullBuckets
    ),
    imagesCollected: counter(
      kubelet("image_garbage_collected_total", "Images that were removed since nobody used them, by reason.", [
        { reason: "age" },
        { reason: "space" }
      ])
    ),
    cgroupDuration: histogram(
      later("kubelet_cgroup_manager_duration_seconds", "What making, setting and removing cgroups took, in seconds."),
      defaultBuckets
    ),
    rejections: counter(later("kubelet_admission_rejections_total", "Pods that were not admitted, by reason.")),
    httpFallbacks: counter(
      kubelet(
        "lifecycle_handler_http_fallbacks_total",
        "Lifecycle hooks that went on without TLS where they asked for it: none."
      )
    ),
    httpRequests: counter(later("kubelet_http_requests_total", "Requests to the node's API.")),
    httpDuration: histogram(
      later("kubelet_http_requests_duration_seconds", "What requests to the node's API took, in seconds."),
      defaultBuckets
    ),
    httpInflight: gauge(later("kubelet_http_inflight_requests", "Requests to the node's API that are under way.")),
    shutdownStart: gauge(
      kubelet(
        "graceful_shutdown_start_time_seconds",
        "When the node last began to shut down, seconds since the epoch; 0: never."
      )
    ),
    shutdownEnd: gauge(
      kubelet(
        "graceful_shutdown_end_time_seconds",
        "When pods had last been stopped for a shutdown, seconds since the epoch; 0: never."
      )
    ),
    serverRenewErrors: counter(
      kubelet("server_expiration_renew_errors", "Attempts to renew the API's certificate that failed.")
    ),
    storageDuration: histogram(
      later("storage_operation_duration_seconds", "What mounting and unmounting volumes took, in seconds."),
      storageBuckets
    ),
    events: counter(later("chronode_events_total", "Events that were written to the journal, by type.")),
    appendDuration: histogram(
      of(
        "chronode_journal_append_duration_seconds",
        "What writing events to the journal took, until they are on disk."
      ),
      appendBuckets
    ),
    journalSequence: gauge(of("chronode_journal_sequence", "Sequence of the last event in the journal.")),
    reactionDuration: histogram(
      later(
        "chronode_reaction_duration_seconds",
        "What actors took to act on their events, in seconds, by kind of actor."
      ),
      reactionBuckets
    )
  }
}

export type KubeletFamilies = ReturnType<typeof addKubeletFamilies>

/** Of `/metrics/probes`, in a registry of their own. */
export const makeProbeFamilies = () => {
  const registry = makeRegistry()
  return {
    registry,
    total: registry.counter({
      ...later("prober_probe_total", "Answers of probes, by container and result."),
      maxSeries: maxProbeSeries
    }),
    duration: registry.histogram(
      {
        ...later("prober_probe_duration_seconds", "What answers of probes took, in seconds."),
        maxSeries: maxProbeSeries
      },
      defaultBuckets
    )
  }
}
