/**
 * Which container of a pod a kill for want of memory was of, by counters alone: for kernels whose log cannot be read. Pure.
 *
 * A pod's cgroup outlives its containers', and on cgroup v2 counts theirs too. So what it counts beyond what its living containers
 * count, and beyond what was told of those that ended, is of one that ended just now. On v1 a cgroup counts its own kills alone:
 * then a container is known by what it counted when it was looked at for the last time.
 */

interface PodCounts {
  /** Kills of containers that have ended. */
  told: number
  /** Kills of the living ones, by container. */
  readonly living: Map<string, number>
}

/** Verdicts on containers that ended, kept for those who ask twice. */
const maxVerdicts = 1_000

export class OomCounters {
  readonly #pods = new Map<string, PodCounts>()
  readonly #verdicts = new Map<string, boolean>()

  /** `pod`, `containers`: what each counts now; one that is gone keeps what it counted. */
  look(path: string, pod: number, containers: ReadonlyMap<string, number | undefined>): void {
    const known = this.#pods.get(path)
    const living = new Map<string, number>()
    for (const [id, kills] of containers) living.set(id, kills ?? known?.living.get(id) ?? 0)
    const sum = [...living.values()].reduce((a, b) => a + b, 0)
    // At the first look nothing is known of those that ended before it.
    this.#pods.set(path, { told: known?.told ?? Math.max(0, pod - sum), living })
  }

  /** Whether a container that SIGKILL ended was killed for want of memory; `pod`: what its pod's cgroup counts now. */
  wasKilled(path: string, containerId: string, pod: number): boolean {
    const verdict = this.#verdicts.get(containerId)
    if (verdict !== undefined) return verdict
    const counts = this.#pods.get(path)
    if (counts === undefined) return false
    const own = counts.living.get(containerId) ?? 0
    counts.living.delete(containerId)
    const others = [...counts.living.values()].reduce((a, b) => a + b, 0)
    const more = Math.max(0, pod - counts.told - others - own)
    counts.told += own + more
    const isKilled = own + more > 0
    this.#verdicts.set(containerId, isKilled)
    if (this.#verdicts.size > maxVerdicts) this.#verdicts.delete(this.#verdicts.keys().next().value!)
    return isKilled
  }

  /** Forgets all pods but these. */
  keep(paths: ReadonlySet<string>): void {
    for (const path of this.#pods.keys()) if (!paths.has(path)) this.#pods.delete(path)
  }
}
