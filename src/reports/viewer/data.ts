/** Reads what the page was given: unpacks the parts, and answers questions about events, lanes, bars and causes. */
import { type Column, unpackColumns } from "../html/columns.ts"
import { blockEvents, parts, type ReportHead } from "../html/format.ts"
import { byGroup, effectsOf, type Groups } from "./groups.ts"

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => {
  const decode = (Uint8Array as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }).fromBase64
  if (decode !== undefined) return decode(base64)
  const text = atob(base64)
  return Uint8Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))
}

const unpack = async (base64: string): Promise<ArrayBuffer> => {
  const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("deflate-raw"))
  return new Response(stream).arrayBuffer()
}
const unpackText = async (base64: string): Promise<string> => new TextDecoder().decode(await unpack(base64))

const partsNamed = (part: string): ReadonlyArray<Element> => [
  ...document.querySelectorAll(`script[data-part="${part}"]`)
]
const textOf = (element: Element | undefined): string => element?.textContent ?? ""

/** Resolves when the whole file is parsed. */
const documentIsWhole = (): Promise<void> =>
  new Promise((resolve) => {
    if (document.readyState !== "loading") resolve()
    else document.addEventListener("DOMContentLoaded", () => resolve(), { once: true })
  })

/** Blocks of stored lines that are kept unpacked. */
const maxBlocks = 16

export class Report {
  readonly head: ReportHead
  /** How many events there are. */
  readonly size: number
  readonly at: Float64Array
  readonly lane: Uint32Array
  readonly cause: Int32Array
  readonly tag: Uint16Array
  readonly severity: Uint8Array
  readonly bar: {
    readonly from: Float64Array
    readonly to: Float64Array
    readonly event: Uint32Array
    readonly state: Uint8Array
    readonly open: Uint8Array
    readonly byLane: Groups
  }
  readonly trouble: { readonly event: Uint32Array; readonly kind: Uint8Array }
  readonly series: { readonly at: Float64Array; readonly value: Float64Array; readonly event: Uint32Array }
  /** Events of each lane by time. */
  readonly byLane: Groups
  /** Events of each pod and all that is below it, by the pod's lane. */
  readonly byPod: Groups
  /** For each lane its pod's, itself for a pod; -1: none. */
  readonly podOf: Int32Array
  private sentences: ReadonlyArray<string> = []
  private effects: Groups | undefined
  private readonly blocks = new Map<number, Promise<ReadonlyArray<string>>>()

  constructor(head: ReportHead, columns: ReadonlyMap<string, Column>) {
    const column = <C extends Column>(name: string): C => columns.get(name) as C
    this.head = head
    this.at = column("at")
    this.size = this.at.length
    this.lane = column("lane")
    this.cause = column("cause")
    this.tag = column("tag")
    this.severity = column("severity")
    const barLane = column<Uint32Array>("barLane")
    const from = column<Float64Array>("barFrom")
    this.bar = {
      from,
      to: column("barTo"),
      event: column("barEvent"),
      state: column("barState"),
      open: column("barOpen"),
      byLane: byGroup(barLane, head.lanes.length, from)
    }
    this.trouble = { event: column("troubleEvent"), kind: column("troubleKind") }
    this.series = { at: column("seriesAt"), value: column("seriesValue"), event: column("seriesEvent") }
    this.byLane = byGroup(this.lane, head.lanes.length, this.at)
    const pods = new Int32Array(this.size)
    this.podOf = new Int32Array(head.lanes.length).fill(-1)
    head.lanes.forEach(({ kind, parent }, lane) => {
      this.podOf[lane] = kind === "pod" ? lane : parent < 0 ? -1 : (this.podOf[parent] as number)
    })
    for (let event = 0; event < this.size; event++) pods[event] = this.podOf[this.lane[event]!]!
    this.byPod = byGroup(pods, head.lanes.length, this.at)
  }

  /** What is needed to draw. */
  static async read(): Promise<Report> {
    const [head, columns] = await Promise.all([
      unpackText(textOf(partsNamed(parts.head)[0])),
      unpack(textOf(partsNamed(parts.columns)[0]))
    ])
    const parsed = JSON.parse(head) as ReportHead
    return new Report(parsed, unpackColumns(new Uint8Array(columns), parsed.columns))
  }

  async readSentences(): Promise<void> {
    this.sentences = (await unpackText(textOf(partsNamed(parts.sentences)[0]))).split("\n")
  }

  /** Tells an event; empty until `readSentences` is done. */
  sentence(event: number): string {
    return this.sentences[event] ?? ""
  }

  tagOf(event: number): string {
    return this.head.tags[this.tag[event] as number] as string
  }

  /** `default/web`, `default/web app`, `default/web app liveness`, `node edge-7` */
  laneText(lane: number): string {
    const { kind, name, parent } = this.head.lanes[lane]!
    if (parent >= 0) return `${this.laneText(parent)} ${name}`
    return kind === "pod" ? name : `${kind} ${name}`
  }

  /** The events that an event caused directly, in the order of the log. */
  effectsOf(event: number): Uint32Array {
    this.effects ??= effectsOf(this.cause)
    return this.effects.of(event)
  }

  /** The causes of an event, oldest first, itself last, at most `most`. */
  chainOf(event: number, most: number): ReadonlyArray<number> {
    const chain = [event]
    // Causes come before what they cause: a walk that does not go back in the log is a forged one.
    for (let at = this.cause[event] as number; at >= 0 && chain.length < most; at = this.cause[at] as number) {
      if (at >= (chain.at(-1) as number)) break
      chain.push(at)
    }
    return chain.reverse()
  }

  blockCount(): number {
    return Math.ceil(this.size / blockEvents)
  }

  /** Stored lines of a block, when that part of the file is there; they are unpacked anew after others have been looked at. */
  block(index: number): Promise<ReadonlyArray<string>> {
    const known = this.blocks.get(index)
    if (known !== undefined) return known
    if (this.blocks.size >= maxBlocks) this.blocks.delete(this.blocks.keys().next().value as number)
    const lines = documentIsWhole()
      .then(() => unpackText(textOf(partsNamed(parts.lines)[index])))
      .then((text) => text.split("\n"))
    this.blocks.set(index, lines)
    return lines
  }

  /** The event as it is stored. */
  async line(event: number): Promise<string> {
    return (await this.block(Math.floor(event / blockEvents)))[event % blockEvents] ?? ""
  }
}
