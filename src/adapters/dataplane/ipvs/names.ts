/** What is ours in the kernel, and how that is seen. */

/** IFNAMSIZ - 1 */
const maxDeviceName = 15
const deviceSuffix = "-ipvs0"

/** FNV-1a, 32 bits. */
const hashOf = (text: string): number => {
  let hash = 0x811c_9dc5
  for (const code of Buffer.from(text)) hash = Math.imul(hash ^ code, 0x0100_0193) >>> 0
  return hash
}

/**
 * The device that has the addresses: `chronode-ipvs0`. Not kube-proxy's kube-ipvs0: what carries that name may be kube-proxy's,
 * and everything on a device of ours is put right and cleaned up. It reads as what it is in `ip address` all the same.
 */
export const deviceName = (name: string): string => {
  const whole = `${name}${deviceSuffix}`
  return whole.length <= maxDeviceName ? whole : `${hashOf(name).toString(16).padStart(8, "0")}${deviceSuffix}`
}

/** The nftables table (family inet) beside the virtual servers. */
export const tableName = (name: string): string => `${name}-ipvs`

/**
 * The upper half of the flags of every virtual server of ours. The kernel gives these bits no meaning, keeps them as they
 * are (ip_vs_add_service, `svc->flags = u->flags`) and tells them to who lists with netlink. So what belongs to us is known
 * from itself, even if everything else was lost; ipvsadm shows nothing of it, and takes it away where it edits one: then the
 * table still names it.
 */
export const ownerMark = (name: string): number => {
  const hash = hashOf(name)
  return ((((hash >>> 16) ^ hash) & 0xffff) | 0x4000) * 0x1_0000
}

const ownerBits = 16

export const isOwnedBy = (mark: number, flags: number): boolean => flags >>> ownerBits === mark >>> ownerBits
