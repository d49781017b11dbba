/** Which lanes stand where: rows from top to bottom, without those that are folded away or hold nothing that is shown. Pure. */
import type { Lane } from "../timeline/model.ts"

export interface Row {
  readonly lane: number
  readonly top: number
  readonly height: number
  /** A pod's row stands for a group: it can be folded. */
  readonly isGroup: boolean
}

export const rowHeight = 30
export const groupHeight = 36

export interface Layout {
  readonly rows: ReadonlyArray<Row>
  readonly height: number
  /** Of each lane its row's position; -1: it is not shown. */
  readonly rowOf: Int32Array
}

/** @param isShown whether a lane holds something that is shown; its parents are then shown too */
export const layOut = (
  lanes: ReadonlyArray<Lane>,
  folded: ReadonlySet<number>,
  isShown: (lane: number) => boolean
): Layout => {
  const wanted = new Uint8Array(lanes.length)
  for (let lane = lanes.length - 1; lane >= 0; lane--) {
    if (wanted[lane] === 0 && !isShown(lane)) continue
    for (let at = lane; at >= 0; at = lanes[at]!.parent) wanted[at] = 1
  }
  const rows: Array<Row> = []
  const rowOf = new Int32Array(lanes.length).fill(-1)
  const hidden = new Uint8Array(lanes.length)
  let top = 0
  lanes.forEach(({ kind, parent }, lane) => {
    if (parent >= 0 && (hidden[parent] === 1 || folded.has(parent))) hidden[lane] = 1
    if (hidden[lane] === 1 || wanted[lane] === 0) return
    const height = kind === "pod" ? groupHeight : rowHeight
    rowOf[lane] = rows.length
    rows.push({ lane, top, height, isGroup: kind === "pod" })
    top += height
  })
  return { rows, height: top, rowOf }
}

/** The first row that reaches below `y`. */
export const rowAt = ({ rows }: Layout, y: number): number => {
  let [low, high] = [0, rows.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const row = rows[middle]!
    if (row.top + row.height <= y) low = middle + 1
    else high = middle
  }
  return low
}
