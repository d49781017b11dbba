/** How many events a node writes: counted by the second, for the last minute. */
const seconds = 60

export class EventRate {
  /** By second since the epoch; older ones than a minute before the newest are dropped. */
  private readonly counts = new Map<number, number>()

  /** @param at milliseconds since the epoch */
  count(at: number): void {
    const second = Math.floor(at / 1000)
    this.counts.set(second, (this.counts.get(second) ?? 0) + 1)
    if (this.counts.size > seconds + 1)
      for (const old of this.counts.keys()) if (old < second - seconds) this.counts.delete(old)
    // A clock that was set back leaves seconds that are later than all that follow.
    if (this.counts.size > 2 * seconds) this.counts.delete(this.counts.keys().next().value as number)
  }

  /** Events of the last whole second, and per second over the last minute, as of `now` (milliseconds since the epoch). */
  rates(now: number): { readonly second: number; readonly minute: number } {
    const present = Math.floor(now / 1000)
    let minute = 0
    for (const [second, count] of this.counts) if (second < present && second >= present - seconds) minute += count
    return { second: this.counts.get(present - 1) ?? 0, minute: minute / seconds }
  }

  copy(): EventRate {
    const copy = new EventRate()
    for (const [second, count] of this.counts) copy.counts.set(second, count)
    return copy
  }
}
