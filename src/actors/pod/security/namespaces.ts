/** Which namespaces a pod's sandbox and containers live in (`pkg/kubelet/kuberuntime/util/util.go`). */
import type { NamespaceOptions } from "../../../adapters/cri/port.ts"
import type { UserNamespace } from "../../../events/user-namespace.ts"
import type { PolicyPod } from "../spec-extension.ts"
import { idMappings } from "./user-namespace.ts"

/** `userNamespace`: ids of the pod's own; without them it is in the node's. */
export const podNamespaces = ({ spec }: PolicyPod, userNamespace?: UserNamespace): NamespaceOptions => ({
  network: spec.hostNetwork === true ? "NODE" : "POD",
  ipc: spec.hostIPC === true ? "NODE" : "POD",
  pid: spec.hostPID === true ? "NODE" : spec.shareProcessNamespace === true ? "POD" : "CONTAINER",
  ...(userNamespace === undefined
    ? { usernsMode: "NODE" as const }
    : { usernsMode: "POD" as const, usernsMappings: idMappings(userNamespace) })
})

/** Of an ephemeral container: it sees the processes of the container with this id, where those are kept apart. */
export const targetNamespaces = (namespaces: NamespaceOptions, targetId: string | undefined): NamespaceOptions =>
  targetId === undefined || namespaces.pid !== "CONTAINER" ? namespaces : { ...namespaces, pid: "TARGET", targetId }
