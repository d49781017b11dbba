/** `test/e2e/common/storage/empty_dir.go`: who may do what in an emptyDir, on disk and in memory. */
import { busyboxImage } from "../../../scripts/lab/image.ts"
import type { ConformanceCase, ConformanceGroup } from "./case.ts"

/** Upstream's user that is not root. */
const nonRoot = 1001
const modes = { "0644": "-rw-r--r--", "0666": "-rw-rw-rw-", "0777": "-rwxrwxrwx" } as const
const mediums = { tmpfs: { medium: "Memory" }, default: {} } as const

const mounted = (index: number, script: string, source: object, user?: number) => ({
  container: {
    image: busyboxImage,
    command: ["sh", "-c", script],
    volumeMounts: [{ name: `v${index}`, mountPath: "/test-volume" }],
    ...(user === undefined ? {} : { securityContext: { runAsUser: user } })
  },
  volumes: [{ name: `v${index}`, emptyDir: source }]
})

const typeOf = (medium: keyof typeof mediums) => (medium === "tmpfs" ? ["type tmpfs"] : [])

const ofTheVolume = (["tmpfs", "default"] as const).map(
  (medium, index): ConformanceCase => ({
    conformance: `EmptyDir volumes volume on ${medium === "tmpfs" ? medium : "default medium"} should have the correct mode`,
    ...mounted(index, "stat -c '%A' /test-volume; stat -f -c 'type %T' /test-volume", mediums[medium]),
    // Permissions only, as upstream looks: a tmpfs has the sticky bit beside them.
    expect: { lines: [/^drwxrwxrw[xt]$/u, ...typeOf(medium)] }
  })
)

const write = (mode: string) =>
  `umask 0; printf 'mount-tester new file\\n' > /test-volume/f && chmod ${mode} /test-volume/f && ` +
  "stat -c '%A %u' /test-volume/f && cat /test-volume/f && stat -f -c 'type %T' /test-volume"

const ofFiles = (["root", "non-root"] as const).flatMap((user, byUser) =>
  (Object.keys(modes) as ReadonlyArray<keyof typeof modes>).flatMap((mode, byMode) =>
    (["tmpfs", "default"] as const).map((medium, byMedium): ConformanceCase => {
      const uid = user === "root" ? 0 : nonRoot
      return {
        conformance: `EmptyDir volumes should support (${user},${mode},${medium})`,
        ...mounted(2 + byUser * 6 + byMode * 2 + byMedium, write(mode), mediums[medium], uid),
        expect: { lines: [`${modes[mode]} ${uid}`, "mount-tester new file", ...typeOf(medium)] }
      }
    })
  )
)

export const emptyDir: ConformanceGroup = { name: "emptydir", cases: [...ofTheVolume, ...ofFiles] }
