/**
 * Which image a name of a registry stands for (`pkg/credentialprovider/keyring.go`: URLsMatchStr). The host may hold globs,
 * part by part; the port must be the same; the path is a prefix. Pure.
 */

interface Place {
  /** `registry.example.com`, in parts. */
  readonly host: ReadonlyArray<string>
  readonly port: string
  /** With its first slash, or empty. */
  readonly path: string
}

/** Go's net.SplitHostPort; a host that it cannot split has no port. */
const splitPort = (authority: string): { readonly host: string; readonly port: string } => {
  const bracketed = /^\[([^[\]]*)\]:([^:]*)$/u.exec(authority)
  if (bracketed !== null) return { host: bracketed[1]!, port: bracketed[2]! }
  const colon = authority.indexOf(":")
  if (colon < 0 || colon !== authority.lastIndexOf(":")) return { host: authority, port: "" }
  return { host: authority.slice(0, colon), port: authority.slice(colon + 1) }
}

const placeOf = (text: string): Place => {
  const slash = text.indexOf("/")
  const authority = slash < 0 ? text : text.slice(0, slash)
  const { host, port } = splitPort(authority)
  return { host: host.split("."), port, path: slash < 0 ? "" : text.slice(slash) }
}

const special = /[.*+?^${}()|[\]\\/]/gu
const literal = (text: string): string => text.replace(special, "\\$&")

/** Go's filepath.Match as a regular expression; undefined: the pattern is malformed and matches nothing. */
const globs = new Map<string, RegExp | undefined>()
/** Globs that are kept compiled. */
const maxGlobs = 1000

const compile = (glob: string): RegExp | undefined => {
  let pattern = ""
  for (let at = 0; at < glob.length; at++) {
    const c = glob[at]!
    if (c === "*") pattern += "[^/]*"
    else if (c === "?") pattern += "[^/]"
    else if (c === "\\") {
      at += 1
      if (at >= glob.length) return undefined
      pattern += literal(glob[at]!)
    } else if (c === "[") {
      const end = glob.indexOf("]", at + 2)
      const inner = end < 0 ? "" : glob.slice(at + 1, end)
      if (!/^\^?(?:[^\\\]-](?:-[^\\\]-])?)+$/u.test(inner)) return undefined
      pattern += `[${inner}]`
      at = end
    } else pattern += literal(c)
  }
  try {
    return new RegExp(`^(?:${pattern})$`, "u")
  } catch {
    return undefined
  }
}

const globMatches = (glob: string, text: string): boolean => {
  if (!/[*?[\\]/u.test(glob)) return glob === text
  if (!globs.has(glob)) {
    if (globs.size >= maxGlobs) globs.clear()
    globs.set(glob, compile(glob))
  }
  return globs.get(glob)?.test(text) === true
}

/** `glob`: `*.example.com:5000/team`; `repository`: `eu.example.com:5000/team/app`. Neither has a scheme. */
export const registryMatches = (glob: string, repository: string): boolean => {
  const wanted = placeOf(glob)
  const found = placeOf(repository)
  return (
    wanted.port === found.port &&
    wanted.host.length === found.host.length &&
    found.path.startsWith(wanted.path) &&
    wanted.host.every((part, i) => globMatches(part, found.host[i]!))
  )
}
