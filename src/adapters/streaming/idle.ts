/** Connections on which nothing is sent for too long. */

/** Looks that are taken within the time: it may be exceeded by that fraction. */
const looks = 20
/** Milliseconds. */
const longestLook = 30_000

export interface IdleWatch {
  /** Something was sent. */
  readonly touch: () => void
  readonly stop: () => void
}

/** Calls `idle` once when `touch` was not called for `timeout` milliseconds; 0: never. */
export const watchIdle = (timeout: number, idle: () => void): IdleWatch => {
  let last = performance.now()
  const timer =
    timeout === 0
      ? undefined
      : setInterval(
          () => {
            if (performance.now() - last < timeout) return
            clearInterval(timer)
            idle()
          },
          Math.min(longestLook, Math.max(10, timeout / looks))
        )
  return {
    touch: () => {
      last = performance.now()
    },
    stop: () => clearInterval(timer)
  }
}
