/** A node that runs short of things, told in few words. */
import type { EvictionCommand, ResourcesObserved } from "../../../src/actors/eviction/commands.ts"
import { evictionDecider } from "../../../src/actors/eviction/decider.ts"
import { evictionActor } from "../../../src/actors/eviction/identity.ts"
import type { Candidate } from "../../../src/actors/eviction/rules/candidate.ts"
import type { EvictionEvent, EvictionSettings, EvictionState } from "../../../src/actors/eviction/state.ts"
import { timestamp } from "../../../src/events/definition.ts"
import { type Happened, Story } from "../../support/given.ts"

export const mebi = 1024 * 1024

export const settings = (more: Partial<EvictionSettings> = {}): EvictionSettings => ({
  evictionHard: { "memory.available": "100Mi" },
  evictionSoft: {},
  evictionSoftGracePeriod: {},
  evictionMinimumReclaim: {},
  enforceNodeAllocatable: [],
  evictionPressureTransitionPeriodSeconds: 300,
  evictionMaxPodGracePeriodSeconds: 20,
  localStorageCapacityIsolation: true,
  ...more
})

/** A BestEffort pod that uses so many MiB of memory. */
export const uses = (name: string, memory: number, more: Partial<Candidate> = {}): Candidate => ({
  namespace: "default",
  name,
  uid: `uid-${name}`,
  qosClass: "BestEffort",
  priority: 0,
  usage: { memory: memory * mebi },
  ...more
})

export class EvictionStory extends Story<EvictionState, EvictionCommand, EvictionEvent> {
  at = Date.parse("2026-01-01T00:00:00Z")
  private previousAt: number | undefined

  constructor(configured: EvictionSettings = settings()) {
    super(evictionDecider, evictionActor)
    this.when({ _tag: "ConfigureEviction", at: this.at, ...configured })
  }

  wait(seconds: number): this {
    this.at += seconds * 1000
    return this
  }

  /** One look. Of each signal what is left and what there is; figures are as old as the look. */
  look(
    observations: Readonly<Record<string, readonly [available: number, capacity: number]>>,
    candidates: ReadonlyArray<Candidate> = [],
    more: Partial<ResourcesObserved> = {}
  ): ReadonlyArray<Happened<EvictionEvent>> {
    const { at, previousAt } = this
    this.previousAt = at
    return this.when({
      _tag: "ResourcesObserved",
      at,
      by: "tick",
      ...(previousAt === undefined ? {} : { previousAt }),
      layout: { dedicatedImageFs: false, separateContainerFs: false },
      observations: this.timed(observations),
      candidates,
      ...more
    })
  }

  /** MiB of memory that are left of a GiB. */
  memory(left: number, candidates: ReadonlyArray<Candidate> = []): ReadonlyArray<Happened<EvictionEvent>> {
    return this.look({ "memory.available": [left * mebi, 1024 * mebi] }, candidates)
  }

  reclaimed(
    freedBytes: number,
    observations: Readonly<Record<string, readonly [available: number, capacity: number]>>,
    candidates: ReadonlyArray<Candidate> = []
  ): ReadonlyArray<Happened<EvictionEvent>> {
    return this.when({
      _tag: "ReportReclaim",
      at: this.at,
      freedBytes,
      layout: { dedicatedImageFs: false, separateContainerFs: false },
      observations: this.timed(observations),
      candidates
    })
  }

  gone(name: string): ReadonlyArray<Happened<EvictionEvent>> {
    return this.when({ _tag: "ReportEvicted", at: this.at, uid: `uid-${name}`, outcome: "gone" })
  }

  private timed(observations: Readonly<Record<string, readonly [available: number, capacity: number]>>) {
    return Object.fromEntries(
      Object.entries(observations).map(([signal, [available, capacity]]) => [
        signal,
        { available, capacity, time: timestamp(this.at) }
      ])
    ) as ResourcesObserved["observations"]
  }
}

export const steps = (happened: ReadonlyArray<Happened<EvictionEvent>>): ReadonlyArray<string> =>
  happened.map(({ event }) => event._tag)

export const victims = (happened: ReadonlyArray<Happened<EvictionEvent>>): ReadonlyArray<string> =>
  happened.flatMap(({ event }) => (event._tag === "EvictionTriggered" ? [event.name] : []))
