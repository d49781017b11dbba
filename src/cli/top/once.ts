/** The table as a text or a document, for what is no terminal. */
import { allContainerViews, podViews, probeViews, volumeViews } from "../../actors/views.ts"
import { tagOf } from "../filter/tags.ts"
import { actorText, eventLine, sentence } from "../render.ts"
import { type Paint, table } from "../text.ts"
import { cpuText, memoryText, type Usage, type Used } from "../usage.ts"
import type { Choice } from "./choice.ts"
import { rateText } from "./header.ts"
import type { Picture } from "./picture.ts"
import { rowsOf } from "./rows.ts"
import { columnsOf, tableNames, tableTitles } from "./tables.ts"
import { type Sources, viewOf } from "./view.ts"

/** Newest events that are printed. */
const shownEvents = 10

export const onceText = (picture: Picture, sources: Sources, choice: Choice, now: number, paint: Paint): string => {
  const view = viewOf(picture, sources, "pods", choice, now)
  const { node, rates, headHash, broken } = view
  const parts = [
    `${view.events} events to ${view.time}`,
    `${rateText(rates.second)}/s (1 min ${rateText(rates.minute)}/s)`,
    `head ${view.sequence}${headHash === "" ? "" : ` ${headHash}`}`,
    ...(broken === "" ? [] : [`chain broken at ${broken}`]),
    ...(view.lag === undefined ? [] : [`publish lag ${view.lag}`]),
    ...(view.partial === 0 ? [] : [`${view.partial} known in part`]),
    ...(view.recording === "" ? [] : [`records ${view.recording}`])
  ]
  const used = view.usage.get("node")
  if (used?.memory !== undefined) parts.push(`cpu ${cpuText(used.cpu)}`, `memory ${memoryText(used.memory)}`)
  const lines = [`${paint("bold", node.name)}  ${parts.join("  ")}`]
  for (const name of tableNames) {
    const rows = rowsOf(picture, name, now, sources.usage).filter((row) => choice.isRow(row))
    if (rows.length === 0) continue
    const header = columnsOf[name].map(({ title }) => title)
    const cells = rows.map((row) => row.cells.map(({ text }) => text))
    lines.push("", paint("bold", tableTitles[name]), table(header, cells).trimEnd())
  }
  if (sources.newest.length > 0) {
    lines.push("", paint("bold", "Newest events"))
    for (const recorded of sources.newest.slice(0, shownEvents)) lines.push(eventLine(recorded, paint))
  }
  return `${lines.join("\n")}\n`
}

/** Thousandths of a CPU, and bytes. */
const usedIn = (usage: Usage, key: string): { readonly usage?: Used } => {
  const used = usage.get(key)
  return used === undefined ? {} : { usage: used }
}

export const onceDocument = (picture: Picture, sources: Sources, choice: Choice, now: number): unknown => {
  const view = viewOf(picture, sources, "pods", choice, now)
  const actors = [...picture.fold.actors.values()]
  const chosen = <A>(name: (typeof tableNames)[number], views: ReadonlyArray<A>): ReadonlyArray<A> => {
    const rows = rowsOf(picture, name, now)
    return views.filter((_, i) => choice.isRow(rows[i]!))
  }
  const pods = podViews(actors).map((pod) => {
    const trouble = picture.troubles.get(`pod/${pod.namespace}/${pod.name}`)
    return {
      ...pod,
      ...usedIn(sources.usage, `pod/${pod.namespace}/${pod.name}`),
      ...(trouble === undefined ? {} : { lastTrouble: { id: trouble.id, time: trouble.time, text: sentence(trouble) } })
    }
  })
  const containers = allContainerViews(actors).map((c) => ({
    ...c,
    ...usedIn(sources.usage, `container/${c.namespace}/${c.pod}/${c.name}`)
  }))
  const images = rowsOf(picture, "images", now).map((row) => ({
    image: row.cells[0]?.text,
    status: row.cells[1]?.text,
    containers: row.cells[2]?.order,
    lastHeard: row.cells[4]?.text
  }))
  return {
    log: view.log,
    node: { ...view.node, ...usedIn(sources.usage, "node") },
    time: view.time,
    events: view.events,
    sequence: view.sequence,
    ...(view.headHash === "" ? {} : { headHash: view.headHash }),
    ...(view.broken === "" ? {} : { chainBroken: view.broken }),
    recording: view.recording,
    knownInPart: view.partial,
    eventsPerSecond: view.rates,
    ...(view.lag === undefined ? {} : { publishLag: view.lag }),
    ...(choice.text === "" ? {} : { filter: choice.text }),
    pods: chosen("pods", pods),
    containers: chosen("containers", containers),
    probes: chosen("probes", probeViews(actors)),
    volumes: chosen("volumes", volumeViews(actors)),
    images: chosen("images", images),
    newest: sources.newest.slice(0, shownEvents).map((recorded) => ({
      id: recorded.id,
      time: recorded.time,
      actor: actorText(recorded.actor),
      type: tagOf(recorded),
      severity: recorded.severity,
      text: sentence(recorded)
    }))
  }
}
