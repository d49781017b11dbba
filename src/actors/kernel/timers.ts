/** The timers of all actors: a heap by due time. Pure of any clock; who uses it sleeps until `nextDue`. */
import type { Timer } from "./behavior.ts"

export interface ArmedTimer<Owner> extends Timer {
  readonly owner: Owner
  cancelled: boolean
}

export class TimerHeap<Owner> {
  private readonly heap: Array<ArmedTimer<Owner>> = []

  get size(): number {
    return this.heap.length
  }

  add(owner: Owner, timer: Timer): ArmedTimer<Owner> {
    const armed: ArmedTimer<Owner> = { ...timer, owner, cancelled: false }
    this.heap.push(armed)
    this.up(this.heap.length - 1)
    return armed
  }

  /** Milliseconds since the epoch; undefined when nothing is armed. */
  nextDue(): number | undefined {
    this.dropCancelled()
    return this.heap[0]?.dueAt
  }

  /** Takes the earliest timer that is due at `now`. */
  take(now: number): ArmedTimer<Owner> | undefined {
    this.dropCancelled()
    const first = this.heap[0]
    return first === undefined || first.dueAt > now ? undefined : this.pop()
  }

  private dropCancelled(): void {
    while (this.heap[0]?.cancelled === true) this.pop()
  }

  private pop(): ArmedTimer<Owner> | undefined {
    const first = this.heap[0]
    const last = this.heap.pop()
    if (first !== undefined && last !== undefined && this.heap.length > 0) {
      this.heap[0] = last
      this.down(0)
    }
    return first
  }

  private up(index: number): void {
    for (let child = index; child > 0; ) {
      const parent = (child - 1) >> 1
      if (this.heap[parent]!.dueAt <= this.heap[child]!.dueAt) return
      this.swap(parent, child)
      child = parent
    }
  }

  private down(index: number): void {
    for (let parent = index; ; ) {
      const left = 2 * parent + 1
      let least = parent
      if (left < this.heap.length && this.heap[left]!.dueAt < this.heap[least]!.dueAt) least = left
      if (left + 1 < this.heap.length && this.heap[left + 1]!.dueAt < this.heap[least]!.dueAt) least = left + 1
      if (least === parent) return
      this.swap(parent, least)
      parent = least
    }
  }

  private swap(a: number, b: number): void {
    const held = this.heap[a]!
    this.heap[a] = this.heap[b]!
    this.heap[b] = held
  }
}
