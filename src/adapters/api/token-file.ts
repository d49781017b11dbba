/**
 * Static tokens, as the API server's `--token-auth-file` has them: lines of `token,user,uid,"group1,group2"`. The file is as secret
 * as a key: it must be readable by its owner alone. Tokens are kept as digests, and never told.
 */
import { createHash, timingSafeEqual } from "node:crypto"
import { open } from "node:fs/promises"
import type { User } from "./port.ts"

export interface TokenTable {
  /** Looks at all tokens, in a time that does not depend on which it is. */
  readonly find: (token: string) => User | undefined
  readonly size: number
}

export const noTokens: TokenTable = { find: () => undefined, size: 0 }

/** Bytes of a file. */
const maxTokenFileBytes = 1024 * 1024

/** Fields of one line of CSV (RFC 4180), as far as such a file has them; undefined: a quotation mark is not closed. */
export const csvFields = (line: string): ReadonlyArray<string> | undefined => {
  const fields: Array<string> = []
  let at = 0
  for (;;) {
    let field = ""
    while (line[at] === " ") at += 1
    if (line[at] === '"') {
      for (at += 1; ; ) {
        const end = line.indexOf('"', at)
        if (end < 0) return undefined
        field += line.slice(at, end)
        at = end + 1
        if (line[at] !== '"') break
        field += '"'
        at += 1
      }
      const next = line.indexOf(",", at)
      at = next < 0 ? line.length : next
    } else {
      const next = line.indexOf(",", at)
      field = line.slice(at, next < 0 ? line.length : next)
      at = next < 0 ? line.length : next
    }
    fields.push(field)
    if (at >= line.length) return fields
    at += 1
  }
}

const digestOf = (token: string): Buffer => createHash("sha256").update(token).digest()

export interface ParsedTokens {
  readonly table: TokenTable
  /** For people: numbers of lines, never what is in them. */
  readonly problems: ReadonlyArray<string>
}

/** `apiserver/pkg/authentication/token/tokenfile/tokenfile.go` */
export const parseTokens = (text: string): ParsedTokens => {
  const problems: Array<string> = []
  const known: Array<{ readonly digest: Buffer; readonly user: User }> = []
  for (const [i, line] of text.split(/\r?\n/u).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue
    const fields = csvFields(line)
    const [token = "", name = "", uid = "", groups = ""] = fields ?? []
    if (fields === undefined || fields.length < 3) {
      problems.push(`line ${i + 1}: needs at least three fields (token, user, uid)`)
      continue
    }
    if (token === "" || name === "") {
      problems.push(`line ${i + 1}: has an empty ${token === "" ? "token" : "user"}`)
      continue
    }
    const digest = digestOf(token)
    if (known.some((other) => other.digest.equals(digest)))
      problems.push(`line ${i + 1}: has a token that was there before; the last one counts`)
    const user: User = {
      name,
      ...(uid === "" ? {} : { uid }),
      groups: groups.split(",").flatMap((group) => group.trim() || [])
    }
    known.push({ digest, user })
  }
  const find: TokenTable["find"] = (token) => {
    const digest = digestOf(token)
    let found: User | undefined
    for (const one of known) if (timingSafeEqual(one.digest, digest)) found = one.user
    return found
  }
  return { table: { find, size: known.length }, problems }
}

/** Rejects where the file cannot be read, or where others could. */
export const readTokens = async (path: string): Promise<ParsedTokens> => {
  const handle = await open(path)
  try {
    const { mode, size } = await handle.stat()
    if ((mode & 0o077) !== 0)
      throw new Error(`${path} can be read by others (mode ${(mode & 0o777).toString(8)}): chmod 600 ${path}`)
    if (size > maxTokenFileBytes) throw new Error(`${path} is larger than ${maxTokenFileBytes} bytes`)
    return parseTokens(await handle.readFile("utf8"))
  } finally {
    await handle.close()
  }
}
