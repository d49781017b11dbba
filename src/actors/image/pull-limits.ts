/** How many pulls there may be, at a time and in a time: fields of kubelet's configuration. */
import { defaultVerification, type Verification } from "./verification.ts"

export interface ImageOptions {
  /** Pulls of different images at one time; kubelet's maxParallelImagePulls. */
  readonly maxParallelPulls: number
  /** Pulls that begin in a second, on average, and at once; kubelet's registryPullQPS (0: no limit) and registryBurst. */
  readonly pullsPerSecond: number
  readonly burst: number
  readonly verification: Verification
}

export const defaultImageOptions: ImageOptions = {
  maxParallelPulls: 5,
  pullsPerSecond: 5,
  burst: 10,
  verification: defaultVerification
}

/** What kubelet says of a pull that it does not begin (`pkg/kubelet/images/helpers.go` throttledImageService). */
export const tooManyPulls = "pull QPS exceeded"

/** A token bucket (`client-go/util/flowcontrol` NewTokenBucketRateLimiter): it begins full. */
export class PullLimiter {
  readonly #perSecond: number
  readonly #burst: number
  #tokens: number
  #at: number | undefined

  constructor({ pullsPerSecond, burst }: Pick<ImageOptions, "pullsPerSecond" | "burst">) {
    this.#perSecond = pullsPerSecond
    this.#burst = burst
    this.#tokens = burst
  }

  /** `now`: milliseconds. False: not now. */
  accept(now: number): boolean {
    if (this.#perSecond === 0) return true
    const passed = Math.max(0, now - (this.#at ?? now))
    this.#at = now
    this.#tokens = Math.min(this.#burst, this.#tokens + (passed / 1000) * this.#perSecond)
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
