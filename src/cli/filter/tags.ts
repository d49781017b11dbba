/** Event types as people name them: `ContainerExited`. */
import { byTag, byType, catalogue } from "../../events/catalogue.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import { UsageError } from "../exit.ts"
import { nearest } from "../text.ts"

const fullType = /^dev\.chronode\.([A-Za-z]+)\.v\d+$/u

/** The tag within a `type` attribute; the attribute itself where it is not one of ours. */
export const tagOfType = (type: string): string => fullType.exec(type)?.[1] ?? type

/** The tag of an event, also of one whose type this program does not know. */
export const tagOf = (recorded: RecordedEvent): string =>
  recorded.event._tag === "Unknown" ? tagOfType(recorded.event.type) : recorded.event._tag

/** `A,B` to tags. A full type (`dev.chronode.A.v2`) may be one that only a newer version knows. */
export const parseTypes = (text: string): ReadonlySet<string> => {
  const tags = new Set<string>()
  for (const name of text.split(",").map((part) => part.trim())) {
    if (name === "") continue
    const full = fullType.exec(name)
    const known = full?.[1] ?? catalogue.find((d) => d.tag.toLowerCase() === name.toLowerCase())?.tag
    if (known === undefined) throw unknownType(name)
    tags.add(known)
  }
  if (tags.size === 0) throw new UsageError("--type: no event type is named")
  return tags
}

/** `no event type 'ContainerExitd'; did you mean ContainerExited?` */
export const unknownTypeText = (name: string): string => {
  const near = nearest(name, [...byTag.keys(), ...(name.includes(".") ? byType.keys() : [])])
  return `no event type '${name}'${near.length === 0 ? "; docs/events.md lists them" : `; did you mean ${near.join(" or ")}?`}`
}

/** A usage error that names the event types that may have been meant. */
export const unknownType = (name: string): UsageError => new UsageError(unknownTypeText(name))
