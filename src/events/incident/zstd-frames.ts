/**
 * The frames of a Zstandard file (RFC 8878), as far as an incident file needs them: where a frame and its blocks begin
 * and end, frames that are written without packing, and the seal.
 *
 * A packed incident file is: one frame with the header's line as it is (it is known last and written in place), the
 * seal, and frames of the rest, each packed on its own. The seal is a skippable frame, which every zstd program passes
 * over: 16 bytes of text and the SHA-256 of all other bytes of the file, those behind it first. Packing has bits that no
 * check of its own covers; under the seal none is left. A file that was packed anew by another program has no seal.
 */

export const zstdMagic = 0xfd2fb528
/** Any of 16; the last hex digit is the writer's. */
const skippableMagic = 0x184d2a50
const sealMagic = skippableMagic + 0xc
const sealText = "chronode-seal-v1"
const sha256Bytes = 32
export const sealBytes = 8 + sealText.length + sha256Bytes

/** RFC 8878 says 8 MiB for interchange; `zstd -19` needs that, `--ultra -22` and `--long` up to 128 MiB. */
export const maxWindowBytes = 32 * 1024 * 1024
/** Of one block, packed or not. */
export const maxBlockBytes = 128 * 1024
/** A frame's header at most: magic, descriptor, window, dictionary, content size. */
export const maxFrameHeaderBytes = 18
export const blockHeaderBytes = 3
export const checksumBytes = 4
const rawBlock = 0
const runBlock = 1

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export type FrameHead =
  | { readonly _tag: "Frame"; readonly headerBytes: number; readonly hasChecksum: boolean }
  /** `bytes`: of its content, behind 8 bytes. */
  | { readonly _tag: "Skippable"; readonly bytes: number; readonly isSealed: boolean }
  | { readonly _tag: "Bad"; readonly why: string }
  /** Not enough bytes to tell. */
  | { readonly _tag: "Short" }

const bad = (why: string): FrameHead => ({ _tag: "Bad", why })

/** What begins with these bytes: up to `maxFrameHeaderBytes` of them are looked at. */
export const readFrameHead = (bytes: Uint8Array): FrameHead => {
  if (bytes.length < 4) return { _tag: "Short" }
  const data = view(bytes)
  const magic = data.getUint32(0, true)
  if ((magic & ~0xf) >>> 0 === skippableMagic) {
    if (bytes.length < 8) return { _tag: "Short" }
    return { _tag: "Skippable", bytes: data.getUint32(4, true), isSealed: magic === sealMagic }
  }
  if (magic !== zstdMagic) return bad("something else than zstd data follows")
  if (bytes.length < 5) return { _tag: "Short" }
  const descriptor = bytes[4] as number
  // One bit has to be 0, and one is without meaning: no program sets it.
  if ((descriptor & 0x18) !== 0) return bad("a frame's header is damaged")
  if ((descriptor & 3) !== 0) return bad("it was packed with a dictionary")
  const isSingle = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >> 6
  const sizeBytes = sizeFlag === 0 ? (isSingle ? 1 : 0) : 1 << sizeFlag
  const headerBytes = 5 + (isSingle ? 0 : 1) + sizeBytes
  if (bytes.length < headerBytes) return { _tag: "Short" }
  const at = headerBytes - sizeBytes
  const windowBytes = isSingle ? contentBytes(data, at, sizeBytes) : windowOf(bytes[5] as number)
  if (windowBytes > maxWindowBytes)
    return bad(
      `unpacking it takes a window of more than ${maxWindowBytes >> 20} MiB: pack it again with \`zstd -19\` or less`
    )
  return { _tag: "Frame", headerBytes, hasChecksum: (descriptor & 4) !== 0 }
}

const windowOf = (byte: number): number => {
  const base = 2 ** (10 + (byte >> 3))
  return base + (base / 8) * (byte & 7)
}
const contentBytes = (data: DataView, at: number, bytes: number): number =>
  bytes === 1
    ? data.getUint8(at)
    : bytes === 2
      ? data.getUint16(at, true) + 256
      : bytes === 4
        ? data.getUint32(at, true)
        : Number(data.getBigUint64(at, true))

export interface BlockHead {
  readonly isLast: boolean
  /** Bytes that follow the block's header; undefined where there can be no such block. */
  readonly bytes: number | undefined
}

/** Of the 3 bytes at `at`. */
export const readBlockHead = (bytes: Uint8Array, at: number): BlockHead => {
  const word = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16)
  const type = (word >> 1) & 3
  const size = word >> 3
  const isGood = type !== 3 && size <= maxBlockBytes
  return { isLast: (word & 1) !== 0, bytes: isGood ? (type === runBlock ? 1 : size) : undefined }
}

/** A frame that holds `content` (256 bytes to 64 KiB) as it is, so that its length does not depend on it. */
export const rawFrame = (content: Uint8Array): Uint8Array => {
  const frame = new Uint8Array(4 + 1 + 2 + blockHeaderBytes + content.length)
  const data = view(frame)
  data.setUint32(0, zstdMagic, true)
  frame[4] = 0x60 // one segment, its size in two bytes
  data.setUint16(5, content.length - 256, true)
  const word = (content.length << 3) | (rawBlock << 1) | 1
  frame.set([word & 0xff, (word >> 8) & 0xff, word >> 16], 7)
  frame.set(content, 7 + blockHeaderBytes)
  return frame
}

/** The seal's frame. */
export const sealFrame = (sha256: Uint8Array): Uint8Array => {
  const frame = new Uint8Array(sealBytes)
  view(frame).setUint32(0, sealMagic, true)
  view(frame).setUint32(4, sealBytes - 8, true)
  frame.set(new TextEncoder().encode(sealText), 8)
  frame.set(sha256, 8 + sealText.length)
  return frame
}

/** The hash in the content of a skippable frame, if it is a seal. */
export const readSeal = (content: Uint8Array): Uint8Array | undefined =>
  content.length === sealBytes - 8 && new TextDecoder().decode(content.subarray(0, sealText.length)) === sealText
    ? content.subarray(sealText.length)
    : undefined
