/** The header: the node and its neighbours, the log and how fast it grows, and which moment is shown. */
import type { Paint } from "../text.ts"
import { oneLine } from "../text.ts"
import { formatLength, localTime } from "../times.ts"
import { cpuText, memoryText, type Used } from "../usage.ts"
import { cut, joined, widthOf } from "./layout.ts"
import type { Model } from "./model.ts"

/** `12`, `3.5`, `0.02` */
export const rateText = (rate: number): string =>
  rate === 0 ? "0" : rate >= 10 ? String(Math.round(rate)) : rate >= 1 ? rate.toFixed(1) : rate.toFixed(2)

/** Hex digits of a hash that are shown. */
const hashDigits = 8

const usedText = (used: Used | undefined): string =>
  used?.memory === undefined
    ? ""
    : `${used.cpu === undefined ? "" : `cpu ${cpuText(used.cpu)}  `}memory ${memoryText(used.memory)}`

const nodeParts = ({ view }: Model): ReadonlyArray<string> => {
  const { node, now } = view
  const up =
    node.startedAt === "" || node.stopped ? "" : ` up ${formatLength(Math.max(0, now - Date.parse(node.startedAt)))}`
  const { runtime, stream } = node
  return [
    node.name === "" ? `no events yet: ${view.log}` : node.name,
    node.version === "" ? "" : `agent ${node.version}${node.stopped ? " stopped" : up}`,
    node.admission === "open" ? "" : "admits no pods",
    runtime.name === ""
      ? ""
      : `${runtime.name} ${runtime.version}${runtime.status === "connected" ? "" : ` ${runtime.status}`}`,
    stream.status === "unknown" ? "" : `NATS ${stream.status}`,
    usedText(view.usage.get("node")),
    view.otherNodes === 0 ? "" : `(${view.otherNodes} other nodes: --node-name)`
  ].map(oneLine)
}

const logParts = ({ view }: Model): ReadonlyArray<string> => {
  const { broken, events, headHash, lag, partial, rates, recording, sequence } = view
  return [
    `${events} events`,
    `${rateText(rates.second)}/s (1 min ${rateText(rates.minute)}/s)`,
    `head ${sequence}${headHash === "" ? "" : ` ${headHash.slice(0, hashDigits)}`}`,
    broken === "" ? "" : `chain broken at ${broken}`,
    lag === undefined ? "" : `publish lag ${lag}`,
    partial === 0 ? "" : `${partial} known in part`,
    recording === "" ? "" : `records ${recording}`
  ]
}

/** `LIVE`, `READING` what was before, or the moment that is shown. */
const moment = ({ isBehind, isOffline, isPaused, view }: Model): string =>
  !isPaused
    ? isBehind
      ? "READING"
      : "LIVE"
    : view.time === ""
      ? "PAUSED"
      : `${isOffline ? "AT" : "PAUSED"} ${localTime(Date.parse(view.time)).slice(0, 23)}`

/** @param lines 1 or 2 */
export const headerLines = (model: Model, width: number, lines: 1 | 2, paint: Paint): ReadonlyArray<string> => {
  const shown = cut(moment(model), width)
  const left = joined(nodeParts(model), width - widthOf(shown) - 2)
  const space = " ".repeat(Math.max(1, width - widthOf(left) - widthOf(shown)))
  const first = `${paint("bold", left)}${space}${paint(model.isPaused ? "yellow" : "green", shown)}`
  if (lines === 1) return [first]
  const log = joined(logParts(model), width)
  return [first, model.view.broken === "" ? log : paint("red", log)]
}
