/**
 * Who a static pod is. kubelet appends the node's name to the pod's (`pkg/kubelet/config/common.go` applyDefaults), since
 * all nodes' mirror pods share one namespace of names at the API server. Chronode's log and subjects name the node
 * themselves, so the pod keeps the name that its manifest gives it.
 *
 * The uid, where the manifest gives none, is kubelet's construction: 128-bit FNV-1a over the pod (with defaults, secret
 * values included), the node and the file. So a changed pod is another pod, and an unchanged one is found again. Ephemeral
 * containers are put into the pod that there is: they are left out.
 */
import type { Pod } from "../../events/pod-spec.ts"

/** A pod before it has its uid. */
export type UnidentifiedPod = { readonly metadata: Omit<Pod["metadata"], "uid">; readonly spec: Pod["spec"] }

/** 128-bit FNV-1a of UTF-8 bytes, 32 hex digits (draft-eastlake-fnv: prime 2^88 + 2^8 + 0x3b). */
export const fnv128a = (bytes: Uint8Array): string => {
  // Four 32-bit words, least significant first; the prime's low part is 0x13b, its high part a shift by 88 bits.
  let w0 = 0x6295c58d
  let w1 = 0x62b82175
  let w2 = 0x07bb0142
  let w3 = 0x6c62272e
  for (const byte of bytes) {
    w0 = (w0 ^ byte) >>> 0
    const p0 = w0 * 0x13b
    const p1 = w1 * 0x13b + Math.floor(p0 / 2 ** 32)
    const p2 = w2 * 0x13b + Math.floor(p1 / 2 ** 32) + ((w0 << 24) >>> 0)
    const p3 = w3 * 0x13b + Math.floor(p2 / 2 ** 32) + (w0 >>> 8) + ((w1 << 24) >>> 0)
    w3 = p3 % 2 ** 32
    w2 = p2 % 2 ** 32
    w1 = p1 % 2 ** 32
    w0 = p0 % 2 ** 32
  }
  return [w3, w2, w1, w0].map((w) => w.toString(16).padStart(8, "0")).join("")
}

/** JSON with sorted keys: equal values give equal text, however the manifest orders them. */
export const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_, v) =>
    typeof v === "object" && v !== null && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v
  )

/** The uid of a pod that a file declares on a node. */
export const derivedUid = ({ metadata, spec }: UnidentifiedPod, node: string, file: string): string => {
  const { ephemeralContainers: _, ...own } = spec
  return fnv128a(new TextEncoder().encode(`${canonicalJson({ metadata, spec: own })}host:${node}file:${file}`))
}
