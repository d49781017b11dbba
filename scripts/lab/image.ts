/**
 * The container images of the tests and the demo, built from this machine's static busybox without any network: one OCI
 * image layout in a tar, as `ctr images import` takes it.
 */
import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import { readFile, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { type TarEntry, tar } from "./tar.ts"

/** Every busybox applet in /bin; no entry point: a pod says its command, else `sh` runs and ends. */
export const busyboxImage = "chronode.local/busybox:1"
/** What holds a sandbox's namespaces. */
export const pauseImage = "chronode.local/pause:1"

const unpacked = fileURLToPath(new URL("../../.cache/lab/busybox", import.meta.url))
const candidates = ["/bin/busybox", "/usr/bin/busybox", `${unpacked}/bin/busybox`, `${unpacked}/usr/bin/busybox`]

/** Dynamically linked programs name their dynamic linker. */
const isStatic = (program: Buffer): boolean => !program.includes("/ld-linux") && !program.includes("/ld64")

/** The `config` of an OCI image: Entrypoint, Cmd, Env, User, WorkingDir, … */
export type ImageConfig = Readonly<Record<string, unknown>>
/** An image over the lab's files, with more of its own. */
export interface OtherImage {
  readonly config: ImageConfig
  readonly files?: ReadonlyArray<TarEntry>
}

/** Path and bytes of a statically linked busybox; an error says how to get one. */
export const findBusybox = async (): Promise<{ readonly path: string; readonly bytes: Buffer }> => {
  for (const path of candidates) {
    const bytes = await readFile(path).catch(() => undefined)
    if (bytes !== undefined && isStatic(bytes)) return { path, bytes }
  }
  throw new Error("no statically linked busybox on this machine: run `sudo sh scripts/lab/packages.sh`")
}

const directory = (path: string, mode = 0o755): TarEntry => ({ path: `${path}/`, mode, directory: true })
const file = (path: string, text: string, mode = 0o644): TarEntry => ({ path, mode, content: Buffer.from(text) })

const rootfs = (busybox: Uint8Array, applets: ReadonlyArray<string>): Buffer =>
  tar([
    ...["bin", "dev", "etc", "home", "proc", "root", "run", "sys", "usr", "usr/bin", "var", "var/log"].map((path) =>
      directory(path)
    ),
    directory("tmp", 0o1777),
    { path: "bin/busybox", mode: 0o755, content: busybox },
    ...applets.map((name): TarEntry => ({ path: `bin/${name}`, mode: 0o777, link: "busybox" })),
    { path: "usr/bin/env", mode: 0o777, link: "../../bin/busybox" },
    file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n"),
    // Of `staff` the user nobody is a member, beside his own group.
    file("etc/group", "root:x:0:\nstaff:x:50:nobody\nnobody:x:65534:\n")
  ])

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

/** OCI names of processor architectures are Go's. */
const architecture = (): string => ({ x64: "amd64", ia32: "386" })[process.arch as string] ?? process.arch

// With a shared process namespace the sandbox's process is the pod's init: `wait` collects orphans, TERM ends it at once.
const pauseCommand = ["/bin/sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 2147483 & wait; done"]

interface Blob {
  readonly digest: string
  readonly size: number
}

/**
 * Writes the tar to `path`: the images above, and others with the same files, by name. Answers the digests of the image
 * configs (`sha256:…`), which are the images' ids in CRI, by image name.
 */
export const buildImageTar = async (
  path: string,
  others: Readonly<Record<string, OtherImage>> = {}
): Promise<Readonly<Record<string, string>>> => {
  const busybox = await findBusybox()
  const { stdout } = await promisify(execFile)(busybox.path, ["--list"])
  const applets = stdout.split("\n").filter((name) => name !== "" && name !== "busybox")
  const layer = rootfs(busybox.bytes, applets)

  const blobs: Array<TarEntry> = []
  const put = (bytes: Uint8Array): Blob => {
    const hash = sha256(bytes)
    if (!blobs.some((blob) => blob.path.endsWith(hash))) {
      blobs.push({ path: `blobs/sha256/${hash}`, mode: 0o644, content: bytes })
    }
    return { digest: `sha256:${hash}`, size: bytes.length }
  }
  const putJson = (value: unknown): Blob => put(Buffer.from(JSON.stringify(value)))

  const layerBlob = put(layer)
  const ids: Record<string, string> = {}
  const image = (name: string, { config, files = [] }: OtherImage) => {
    const layers = files.length === 0 ? [layerBlob] : [layerBlob, put(tar(files))]
    const configBlob = putJson({
      architecture: architecture(),
      os: "linux",
      created: "1970-01-01T00:00:00Z",
      config: { Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], ...config },
      rootfs: { type: "layers", diff_ids: layers.map((blob) => blob.digest) },
      history: [{ created: "1970-01-01T00:00:00Z", created_by: `chronode lab: ${name}` }]
    })
    ids[name] = configBlob.digest
    const manifest = putJson({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...configBlob },
      layers: layers.map((blob) => ({ mediaType: "application/vnd.oci.image.layer.v1.tar", ...blob }))
    })
    return {
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      ...manifest,
      platform: { architecture: architecture(), os: "linux" },
      annotations: { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": name }
    }
  }
  const index = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: Object.entries({
      [busyboxImage]: { config: { Cmd: ["/bin/sh"] } },
      [pauseImage]: { config: { Entrypoint: pauseCommand } },
      ...others
    }).map(([name, other]) => image(name, other))
  }
  await writeFile(
    path,
    tar([
      file("oci-layout", JSON.stringify({ imageLayoutVersion: "1.0.0" })),
      file("index.json", JSON.stringify(index)),
      directory("blobs"),
      directory("blobs/sha256"),
      ...blobs
    ])
  )
  return ids
}
