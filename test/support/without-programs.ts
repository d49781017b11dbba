/** A machine on which a program is not installed. */
import { execFile } from "node:child_process"

const sh = (script: string): Promise<string> =>
  new Promise((resolve, reject) =>
    execFile("sh", ["-ec", script], (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(`${script}: ${stderr || error.message}`))
    )
  )

/**
 * Runs something where these programs are not installed: their folders are covered by layers without them, in this process's
 * own mount namespace (`// netns: own`).
 */
export const withoutPrograms = async (names: ReadonlyArray<string>, run: () => Promise<void>): Promise<void> => {
  const script = `layers=$(mktemp -d); mount -t tmpfs layers "$layers"; echo "$layers"
    for name in ${names.join(" ")}; do
      for folder in $(for each in $(echo "$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin" | tr : ' '); do readlink -f "$each" || true; done | sort -u); do
        [ -e "$folder/$name" ] || continue
        if ! mountpoint -q "$folder"; then
          mkdir -p "$layers/up$folder" "$layers/work$folder"
          mount -t overlay layers -o "lowerdir=$folder,upperdir=$layers/up$folder,workdir=$layers/work$folder" "$folder"
          echo "$folder"
        fi
        rm "$folder/$name"
      done
    done`
  const [layers, ...covered] = (await sh(script)).trim().split("\n")
  try {
    await run()
  } finally {
    for (const folder of covered) await sh(`umount -l ${folder}`)
    await sh(`umount -l ${layers}; rmdir ${layers}`)
  }
}
