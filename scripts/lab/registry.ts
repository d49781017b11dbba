/**
 * A private image registry for tests: Debian's docker-registry on a port of 127.0.0.1, with the lab's busybox under whatever
 * names are pushed. With `htpasswd` it asks for a user and a password.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import process from "node:process"
import { freePort } from "./free-port.ts"
import { buildImageTar } from "./image.ts"
import { untar } from "./tar.ts"

/** Whom a registry with authentication lets in. The hash is bcrypt of the password, as htpasswd(1) writes it. */
export const registryUser = {
  username: "lab",
  password: "p4ss-of-the-registry",
  htpasswd: "lab:$2b$04$6W1O7kw5/WyQn.bhVqyHzOfqUACY/qRoTZmQazizuB0K/GSJNBf/y\n"
} as const

export interface LabRegistryOptions {
  readonly authenticated?: boolean
  /** Default: one that is free. */
  readonly port?: number
}

export interface LabRegistry {
  readonly port: number
  /** `127.0.0.1:5000/name:tag` */
  readonly image: (name: string, tag?: string) => string
  /** Puts the lab's busybox under a name and a tag. */
  readonly push: (name: string, tag?: string) => Promise<void>
  /** Ends it; what was pushed stays in its directory. Repeatable. */
  readonly stop: () => Promise<void>
}

/** Milliseconds. */
const startLimit = 15_000
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

const exited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

const wait = async (url: string, child: ChildProcess): Promise<void> => {
  for (const end = Date.now() + startLimit; ; await pause(50)) {
    if (exited(child)) throw new Error(`docker-registry ended at once (${child.exitCode ?? child.signalCode})`)
    const status = await fetch(url).then(
      (response) => response.status,
      () => undefined
    )
    if (status === 200 || status === 401) return
    if (Date.now() > end) throw new Error(`docker-registry does not answer at ${url}`)
  }
}

/** One manifest of the lab's image, with its blobs. */
const readImage = async (dir: string) => {
  const path = join(dir, "images.tar")
  await buildImageTar(path)
  const files = untar(await readFile(path))
  const [{ digest, mediaType }] = JSON.parse(String(files.get("index.json"))).manifests
  const blob = (of: string): Buffer => files.get(`blobs/${of.replace(":", "/")}`)!
  const manifest = blob(digest)
  const { config, layers } = JSON.parse(String(manifest))
  return { manifest, mediaType: mediaType as string, blobs: [config, ...layers].map((b) => [b.digest, blob(b.digest)]) }
}

/** Starts it on `dir`, which it makes; what was pushed there before is there again. */
export const startLabRegistry = async (dir: string, options: LabRegistryOptions = {}): Promise<LabRegistry> => {
  await mkdir(dir, { recursive: true })
  const port = options.port ?? (await freePort())
  const htpasswd = join(dir, "htpasswd")
  await writeFile(htpasswd, registryUser.htpasswd)
  const config = {
    version: "0.1",
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(dir, "storage") } },
    http: { addr: `127.0.0.1:${port}`, secret: "lab" },
    ...(options.authenticated === true ? { auth: { htpasswd: { realm: "lab", path: htpasswd } } } : {})
  }
  // JSON is YAML.
  await writeFile(join(dir, "config.yml"), JSON.stringify(config))
  const child = spawn("docker-registry", ["serve", join(dir, "config.yml")], { stdio: "ignore" })
  const base = `http://127.0.0.1:${port}/v2/`
  const stop = async (): Promise<void> => {
    // By number: Deno's `child.kill` does nothing after its first signal.
    if (child.pid !== undefined && !exited(child)) process.kill(child.pid, "SIGKILL")
    while (!exited(child)) await pause(10)
  }
  await wait(base, child).catch(async (error) => {
    await stop()
    throw error
  })
  const basic = Buffer.from(`${registryUser.username}:${registryUser.password}`).toString("base64")
  const headers = { Authorization: `Basic ${basic}` }
  const send = async (method: string, url: string, body?: Buffer, type = "application/octet-stream") => {
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { "Content-Type": type }) },
      ...(body === undefined ? {} : { body: new Uint8Array(body) })
    })
    if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`)
    await response.arrayBuffer()
    return response
  }
  let image: ReturnType<typeof readImage> | undefined
  return {
    port,
    image: (name, tag = "1") => `127.0.0.1:${port}/${name}:${tag}`,
    push: async (name, tag = "1") => {
      image ??= readImage(dir)
      const { manifest, mediaType, blobs } = await image
      for (const [digest, bytes] of blobs) {
        const upload = await send("POST", `${base}${name}/blobs/uploads/`)
        const place = new URL(upload.headers.get("location")!, base)
        place.searchParams.set("digest", String(digest))
        await send("PUT", String(place), bytes as Buffer)
      }
      await send("PUT", `${base}${name}/manifests/${tag}`, manifest, mediaType)
    },
    stop
  }
}
