/**
 * Columns of numbers as bytes and back: what a report carries of its events in a compact form that needs no parsing. Used
 * by the writer and by the page, hence nothing of Node's here. Little-endian, as every machine that runs a browser is.
 */

const types = { f64: Float64Array, i32: Int32Array, u32: Uint32Array, u16: Uint16Array, u8: Uint8Array } as const
export type ColumnType = keyof typeof types
export type Column = Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array

export interface ColumnLayout {
  readonly name: string
  readonly type: ColumnType
  readonly length: number
}

export interface PackedColumns {
  readonly layout: ReadonlyArray<ColumnLayout>
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** The widest first: each column then begins at a multiple of its own width. */
const order = Object.keys(types) as ReadonlyArray<ColumnType>

export const packColumns = (
  columns: ReadonlyArray<readonly [name: string, type: ColumnType, values: ReadonlyArray<number>]>
): PackedColumns => {
  const sorted = columns.toSorted((a, b) => order.indexOf(a[1]) - order.indexOf(b[1]))
  const size = sorted.reduce((sum, [, type, values]) => sum + types[type].BYTES_PER_ELEMENT * values.length, 0)
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const [, type, values] of sorted) {
    const column = new types[type](bytes.buffer, offset, values.length)
    column.set(values)
    offset += column.byteLength
  }
  return { bytes, layout: sorted.map(([name, type, values]) => ({ name, type, length: values.length })) }
}

/** Views onto `bytes`, which begin at a multiple of 8 in their buffer. */
export const unpackColumns = (
  bytes: Uint8Array<ArrayBuffer>,
  layout: ReadonlyArray<ColumnLayout>
): ReadonlyMap<string, Column> => {
  let offset = bytes.byteOffset
  return new Map(
    layout.map(({ name, type, length }) => {
      const column = new types[type](bytes.buffer, offset, length)
      offset += column.byteLength
      return [name, column]
    })
  )
}
