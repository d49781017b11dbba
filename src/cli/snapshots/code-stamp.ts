/** What folds: a snapshot is worth something only to the code that made it. */
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { deciders } from "../../actors/deciders.ts"
import { version } from "../version.ts"

const folders = ["actors", "events"].map((name) => fileURLToPath(new URL(`../../${name}`, import.meta.url)))

let stamp: string | undefined

/** SHA-256 over the sources of all that decodes and folds, the version, and the versions of the states' shapes. */
export const codeStamp = (): string => {
  stamp ??= makeStamp()
  return stamp
}

const makeStamp = (): string => {
  const hash = createHash("sha256").update(version)
  for (const { kind, stateVersion } of deciders.values()) hash.update(` ${kind} ${stateVersion}`)
  for (const folder of folders)
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort())
      if (file.endsWith(".ts")) hash.update(`\n${file}\n`).update(readFileSync(join(folder, file)))
  return hash.digest("hex")
}
