/** /logs/: files of the node's log directory, and what is in its directories (`pkg/kubelet/kubelet.go` ServeLogs). Never what is outside. */
import type { FileHandle } from "node:fs/promises"
import { open, readdir } from "node:fs/promises"
import { Effect } from "effect"
import { type ApiAnswer, type Route, refusal } from "../../adapters/api/port.ts"
import { OutsideError, openBeneath } from "../../adapters/volumes/beneath.ts"

const pieceBytes = 64 * 1024
/** Names of one directory that are listed. */
const maxListed = 10_000

/** By its open handle, past every path: what was checked is what is read. */
const placeOf = (handle: FileHandle): string => `/proc/self/fd/${handle.fd}`

/** The file as it is now: what is written to it meanwhile is another request's. */
async function* contentOf(handle: FileHandle, size: number): AsyncGenerator<Uint8Array> {
  try {
    for (let at = 0; at < size; ) {
      const piece = Buffer.allocUnsafe(Math.min(pieceBytes, size - at))
      const { bytesRead } = await handle.read(piece, 0, piece.length, at)
      if (bytesRead === 0) return
      at += bytesRead
      yield piece.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}

const escaped = (name: string): string => name.replace(/[&<>"']/gu, (character) => `&#${character.codePointAt(0)};`)

/** As Go's file server lists a directory. */
const listing = async (place: string): Promise<ApiAnswer> => {
  const entries = (await readdir(place, { withFileTypes: true })).slice(0, maxListed)
  const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).toSorted()
  const lines = names.map(
    (name) => `<a href="${encodeURIComponent(name).replace(/%2F$/u, "/")}">${escaped(name)}</a>\n`
  )
  return {
    status: 200,
    headers: { "content-type": "text/html; charset=utf-8" },
    body: `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${lines.join("")}</pre>\n`
  }
}

const serve = async (directory: string, path: string): Promise<ApiAnswer> => {
  const place = await openBeneath(directory, path)
  try {
    const info = await place.stat()
    if (info.isDirectory()) return await listing(placeOf(place))
    // No device, no FIFO: reading those does something.
    if (!info.isFile()) throw new OutsideError("is no file")
    const handle = await open(placeOf(place))
    return { status: 200, headers: { "content-length": String(info.size) }, body: contentOf(handle, info.size) }
  } finally {
    await place.close()
  }
}

export const systemLogRoutes = (directory: string): ReadonlyArray<Route> => [
  {
    methods: ["GET"],
    path: "/logs/{path*}",
    answer: (_, { path = "" }) =>
      Effect.tryPromise({
        try: () => serve(directory, path),
        // What is not there and what may not be seen are told alike.
        catch: () => refusal(404, "404 page not found\n")
      })
  }
]
