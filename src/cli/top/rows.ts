/** The rows of the tables, from a picture: what their cells say, and what `why` is asked for them. Pure. */
import type { ContainerView, PodView } from "../../actors/pod/view.ts"
import type { ProbeState } from "../../actors/probe/state.ts"
import {
  allContainerViews,
  type Folded,
  type ProbeView,
  podViews,
  probeViews,
  type VolumeView,
  volumeViews
} from "../../actors/views.ts"
import type { VolumeState } from "../../actors/volume/state.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import { sentence } from "../render.ts"
import { type Colour, oneLine } from "../text.ts"
import { formatLength } from "../times.ts"
import { cpuText, memoryText, noUsage, type Usage, type Used } from "../usage.ts"
import type { Picture } from "./picture.ts"
import type { Cell, Row, TableName } from "./tables.ts"

const text = (of: string, colour?: Colour): Cell =>
  colour === undefined ? { text: oneLine(of) } : { text: oneLine(of), colour }
const count = (of: number, colour?: Colour): Cell => ({ ...text(String(of), colour), order: of })
/** A length of time since a moment; sorted by it. Empty where the moment is. */
const since = (moment: string, now: number): Cell => {
  const length = Math.max(0, now - Date.parse(moment))
  return moment === "" ? { text: "", order: -1 } : { text: formatLength(length), order: length }
}

/** What is not known is sorted below everything. */
const cpuCell = ({ cpu }: Used): Cell => ({ text: cpuText(cpu), order: cpu ?? -1 })
const memoryCell = ({ memory }: Used): Cell => ({ text: memoryText(memory), order: memory ?? -1 })
const nothingKnown: Used = {}

const goodStatuses = new Set(["Running", "Completed", "Succeeded", "running", "mounted", "success", "present"])
const waitStatuses =
  /^(Pending|ContainerCreating|PodInitializing|Init:\d|Terminating|waiting|mounting|unmounting|pulling|wanted|unknown)/u
const statusCell = (status: string): Cell =>
  text(status, goodStatuses.has(status) ? "green" : waitStatuses.test(status) ? "yellow" : "red")

const readyOf = (ready: string): Cell => {
  const [up = "0", all = "0"] = ready.split("/")
  return {
    text: ready,
    order: Number(up) / Math.max(1, Number(all)),
    ...(up === all ? {} : { colour: "yellow" as const })
  }
}

const podRow = (p: PodView, trouble: RecordedEvent | undefined, used: Used, node: string, now: number): Row => ({
  key: `pod/${p.namespace}/${p.name}`,
  title: `pod ${p.namespace}/${p.name}`,
  cells: [
    text(p.namespace),
    text(p.name),
    statusCell(p.status),
    readyOf(p.ready),
    count(p.restarts, p.restarts > 0 ? "yellow" : undefined),
    cpuCell(used),
    memoryCell(used),
    since(p.startTime, now),
    trouble === undefined
      ? { text: "", order: 0 }
      : {
          text: `${formatLength(Math.max(0, now - Date.parse(trouble.time)))} ago: ${sentence(trouble)}`,
          order: Date.parse(trouble.time)
        }
  ],
  subject: { _tag: "Pod", namespace: p.namespace, name: p.name },
  fields: { node, kind: "pod", ns: p.namespace, name: p.name, pod: `${p.namespace}/${p.name}` }
})

const containerRow = (c: ContainerView, used: Used, node: string, now: number): Row => ({
  key: `container/${c.namespace}/${c.pod}/${c.name}`,
  title: `container ${c.namespace}/${c.pod}/${c.name}`,
  cells: [
    text(c.namespace),
    text(c.pod),
    text(c.init ? `${c.name} (init)` : c.ephemeral ? `${c.name} (ephemeral)` : c.name),
    (c.init || c.ephemeral) && c.lastExitCode === 0 && c.state !== "running"
      ? text(c.state, "green")
      : statusCell(c.state),
    c.ready ? text("yes") : text("no", c.init || c.ephemeral ? undefined : "yellow"),
    count(c.restarts, c.restarts > 0 ? "yellow" : undefined),
    cpuCell(used),
    memoryCell(used),
    since(c.startedAt, now),
    text(c.lastExitCode === undefined ? "" : `${c.lastReason} (${c.lastExitCode})`),
    text(c.image)
  ],
  subject: { _tag: "Pod", namespace: c.namespace, name: c.pod, container: c.name },
  fields: { node, kind: "pod", ns: c.namespace, name: c.pod, pod: `${c.namespace}/${c.pod}`, container: c.name }
})

const probeRow = (p: ProbeView, because: string | undefined, failures: number, node: string): Row => {
  const name = `${p.pod}.${p.container}.${p.probe}`
  return {
    key: `probe/${p.namespace}/${name}`,
    title: `${p.probe} probe of ${p.namespace}/${p.pod}/${p.container}`,
    cells: [
      text(p.namespace),
      text(p.pod),
      text(p.container),
      text(p.probe),
      p.onHold && p.result === "failure" ? text("failure (on hold)", "red") : statusCell(p.result),
      { ...text(failures === 0 ? "0" : p.row, failures === 0 ? undefined : "yellow"), order: failures },
      { text: formatLength(p.period * 1000), order: p.period },
      text(p.output)
    ],
    subject: because === undefined ? undefined : { _tag: "Event", id: because },
    fields: {
      node,
      kind: "probe",
      ns: p.namespace,
      name,
      pod: `${p.namespace}/${p.pod}`,
      container: p.container,
      probe: p.probe
    }
  }
}

const volumeRow = (v: VolumeView, because: string | undefined, node: string): Row => ({
  key: `volume/${v.namespace}/${v.pod}.${v.name}`,
  title: `volume ${v.name} of ${v.namespace}/${v.pod}`,
  cells: [
    text(v.namespace),
    text(v.pod),
    text(v.name),
    text(v.type),
    statusCell(v.status),
    text(v.message === "" ? v.path : v.message)
  ],
  subject: because === undefined ? undefined : { _tag: "Event", id: because },
  fields: {
    node,
    kind: "volume",
    ns: v.namespace,
    name: `${v.pod}.${v.name}`,
    pod: `${v.namespace}/${v.pod}`,
    volume: v.name
  }
})

/** In a word what the last event of an image says of it. */
const imageStatus = (last: RecordedEvent | undefined): string => {
  switch (last?.event._tag) {
    case undefined:
      return "unknown"
    case "ImagePullQueued":
      return "queued"
    case "ImagePullStarted":
      return "pulling"
    case "ImagePullFailed":
      return (last.event as { readonly reason: string }).reason
    case "ImageRequested":
      return "wanted"
    default:
      return "present"
  }
}

const imageRow = (
  image: string,
  containers: number,
  last: RecordedEvent | undefined,
  node: string,
  now: number
): Row => ({
  key: `image//${image}`,
  title: `image ${image}`,
  cells: [
    text(image),
    statusCell(imageStatus(last)),
    count(containers),
    since(last?.time ?? "", now),
    text(last === undefined ? "" : sentence(last))
  ],
  subject: last === undefined ? undefined : { _tag: "Event", id: last.id },
  fields: { node, kind: "image", ns: "", name: image, pod: "" }
})

/** @param now what ages are counted to, milliseconds since the epoch */
export const rowsOf = (picture: Picture, table: TableName, now: number, usage: Usage = noUsage): ReadonlyArray<Row> => {
  const { fold } = picture
  const { node } = fold
  const actors: ReadonlyArray<Folded> = [...fold.actors.values()]
  const stateOf = (path: string): unknown => fold.actors.get(path)?.state
  switch (table) {
    case "pods":
      return podViews(actors).map((p) => {
        const key = `pod/${p.namespace}/${p.name}`
        return podRow(p, picture.troubles.get(key), usage.get(key) ?? nothingKnown, node, now)
      })
    case "containers":
      return allContainerViews(actors).map((c) => {
        // One that does not run uses nothing, whatever was said of it before.
        const used = c.state === "running" ? usage.get(`container/${c.namespace}/${c.pod}/${c.name}`) : undefined
        return containerRow(c, used ?? nothingKnown, node, now)
      })
    case "probes":
      return probeViews(actors).map((p) => {
        const { asked } = stateOf(`probe/${p.namespace}/${p.pod}.${p.container}.${p.probe}`) as ProbeState
        return probeRow(p, asked?.because, asked?.last === "failure" ? asked.run : 0, node)
      })
    case "volumes":
      return volumeViews(actors).map((v) => {
        const { records, podUid } = stateOf(`volume/${v.namespace}/${v.pod}.${v.name}`) as VolumeState
        return volumeRow(v, records[podUid]?.because, node)
      })
    case "images": {
      const used = new Map<string, number>()
      for (const { image } of allContainerViews(actors)) used.set(image, (used.get(image) ?? 0) + 1)
      for (const { id } of actors) if (id.kind === "image" && !used.has(id.name)) used.set(id.name, 0)
      used.delete("")
      return [...used]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([image, containers]) => imageRow(image, containers, picture.images.get(image), node, now))
    }
  }
}

/** How many rows a table has, without making them. */
export const countOf = (picture: Picture, table: TableName): number => {
  const kinds = { pods: "pod", probes: "probe", volumes: "volume" } as const
  if (table === "containers" || table === "images") return rowsOf(picture, table, 0).length
  let count = 0
  for (const { id } of picture.fold.actors.values()) if (id.kind === kinds[table]) count += 1
  return count
}
