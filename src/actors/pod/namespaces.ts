/** Which namespaces a pod's sandbox and containers live in (`pkg/kubelet/kuberuntime/util/util.go`). */
import type { NamespaceOptions } from "../../adapters/cri/port.ts"
import type { PolicyPod } from "./spec-extension.ts"

/** User namespaces are not offered yet: every pod is in the node's. */
export const podNamespaces = ({ spec }: PolicyPod): NamespaceOptions => ({
  network: spec.hostNetwork === true ? "NODE" : "POD",
  ipc: spec.hostIPC === true ? "NODE" : "POD",
  pid: spec.hostPID === true ? "NODE" : spec.shareProcessNamespace === true ? "POD" : "CONTAINER",
  usernsMode: "NODE"
})
