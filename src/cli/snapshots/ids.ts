/** Which events are between two snapshots: 32 bits of a hash of each id. A look at the log says whether it is really there. */

/** FNV-1a over UTF-16 units. */
const hashOf = (id: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

export class IdHashes {
  private hashes: Array<number> = []

  add(id: string): void {
    this.hashes.push(hashOf(id))
  }

  /** All since the last call. */
  take(): Uint8Array {
    const bytes = new Uint8Array(Uint32Array.from(this.hashes).buffer)
    this.hashes = []
    return bytes
  }
}

/** Whether the event may be among these. */
export const mayHold = (hashes: Uint8Array, id: string): boolean =>
  new Uint32Array(hashes.slice().buffer).includes(hashOf(id))
