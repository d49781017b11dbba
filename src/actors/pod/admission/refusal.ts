/** Why a pod cannot run on this node: kubelet's reason, and the field where there is one. */
export interface Refusal {
  readonly reason: string
  readonly message: string
  readonly field?: string
}
