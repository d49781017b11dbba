/** Which back-off the demo kills the agent in. */
import type { Seen, Watch } from "./watch.ts"

/** Seconds: shorter ones end before a killed agent is back. */
const least = 20
/** Milliseconds for which it has to go on: the agent dies and is back before it ends. */
const enough = 8_000

/**
 * A back-off of `who` that goes on for long enough. On a slow machine the one of 20 s may be over when the story comes to it:
 * then the next one, which is longer.
 */
export const longBackOff = async (
  watch: Pick<Watch, "next" | "last" | "mark">,
  who: string,
  now: () => number = Date.now
): Promise<Seen> => {
  const wanted = { who, type: "ContainerBackOffStarted" }
  const isLong = ({ facts }: Seen): boolean =>
    Number(facts.delaySeconds) >= least && Date.parse(String(facts.until)) - now() >= enough
  let found = await watch.next({ ...wanted, having: { delaySeconds: least } })
  while (!isLong(found)) {
    const last = watch.last(wanted)
    found = last !== undefined && isLong(last) ? last : await watch.next(wanted, watch.mark)
  }
  return found
}
