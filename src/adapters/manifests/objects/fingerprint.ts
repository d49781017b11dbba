/**
 * What may be told of a content that may be secret (law 9): an HMAC with a key of this node, so that a short password
 * cannot be found by trying. The key stays on the node and is kept over restarts: equal contents stay equal in the log.
 */
import { createHmac, randomBytes } from "node:crypto"
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import process from "node:process"

const keyBytes = 32
const digits = 32

export type Fingerprint = (content: string | Uint8Array) => string

/** First 32 hex digits of HMAC-SHA256. */
export const fingerprintWith =
  (key: Uint8Array): Fingerprint =>
  (content) =>
    createHmac("sha256", key).update(content).digest("hex").slice(0, digits)

const read = (path: string): Uint8Array | undefined => {
  try {
    const key = readFileSync(path)
    return key.byteLength === keyBytes ? key : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw error
  }
}

/** The node's key; made where there is none (whole or not at all), readable by its owner only. */
export const nodeKey = (path: string): Uint8Array => {
  const known = read(path)
  if (known !== undefined) return known
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 })
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, randomBytes(keyBytes), { mode: 0o600, flush: true })
  rmSync(path, { force: true })
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
  }
  rmSync(draft, { force: true })
  const made = read(path)
  if (made === undefined) throw new Error(`cannot keep the node's key in ${path}`)
  return made
}
