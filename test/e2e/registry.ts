/**
 * An image registry on 127.0.0.1 (OCI distribution, the four requests of a pull), so that pulls can be tested without a
 * network. It has the lab's busybox under every name and tag but the tag `missing`.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { buildImageTar } from "../../scripts/lab/image.ts"
import { untar } from "../../scripts/lab/tar.ts"

export interface Registry {
  readonly image: (name: string, tag?: string) => string
  readonly stop: () => Promise<void>
}

export const startRegistry = async (): Promise<Registry> => {
  const dir = await mkdtemp(join(tmpdir(), "registry-"))
  const path = join(dir, "images.tar")
  await buildImageTar(path)
  const files = untar(await readFile(path))
  await rm(dir, { recursive: true })
  const [{ digest, mediaType }] = JSON.parse(String(files.get("index.json"))).manifests
  const blob = (of: string) => files.get(`blobs/${of.replace(":", "/")}`)
  const server = createServer((request, response) => {
    const [, kind, reference] = /^\/v2\/.+\/(manifests|blobs)\/([^/?]+)/.exec(request.url ?? "") ?? []
    const wanted = kind === "manifests" && !reference!.startsWith("sha256:") ? digest : (reference ?? "")
    const body = reference === "missing" ? undefined : kind === undefined ? Buffer.from("{}") : blob(wanted)
    if (body === undefined) {
      response.writeHead(404, { "Content-Type": "application/json" })
      response.end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no such image"}]}')
      return
    }
    response.writeHead(200, {
      "Content-Type": kind === "manifests" ? mediaType : "application/octet-stream",
      "Content-Length": body.length,
      ...(kind === "manifests" ? { "Docker-Content-Digest": wanted } : {})
    })
    response.end(request.method === "HEAD" ? undefined : body)
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return {
    image: (name, tag = "1") => `127.0.0.1:${port}/${name}:${tag}`,
    stop: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      })
  }
}
