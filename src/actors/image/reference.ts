/** References of images (github.com/distribution/reference, as containerd and kubelet read them). Pure. */

const component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
const path = new RegExp(`^${component}(?:/${component})*$`, "u")
const host = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
const domain = new RegExp(`^(?:${host}(?:\\.${host})*|\\[[0-9A-Fa-f:]+\\])(?::[0-9]+)?$`, "u")
const tagForm = /^\w[\w.-]{0,127}$/u
const digestForm = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}$/u
/** Characters of a name with its domain. */
const maxName = 255
/** Characters of any reference that is looked at. */
const maxReference = 1024

export const idProblem = "is an image's id, which cannot be told from a name"
export const upperCaseProblem = "has upper-case letters in its name"

export interface ImageReference {
  /** As written, with `:latest` where it has neither tag nor digest. */
  readonly withTag: string
}

/** The reference, or what is wrong with it, in words. */
export const parseReference = (text: string): ImageReference | { readonly problem: string } => {
  if (text === "") return { problem: "is empty" }
  if (text.length > maxReference) return { problem: `is longer than ${maxReference} characters` }
  if (/^[0-9a-f]{64}$/u.test(text)) return { problem: idProblem }
  const at = text.indexOf("@")
  const digest = at < 0 ? undefined : text.slice(at + 1)
  const named = at < 0 ? text : text.slice(0, at)
  if (digest !== undefined && !digestForm.test(digest)) return { problem: "has a digest that is none" }
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1)
  const tag = colon < 0 ? undefined : named.slice(colon + 1)
  const name = colon < 0 ? named : named.slice(0, colon)
  if (tag !== undefined && !tagForm.test(tag)) return { problem: "has a tag that is none" }
  const problem = nameProblem(name)
  if (problem !== undefined) return { problem }
  return { withTag: tag === undefined && digest === undefined ? `${text}:latest` : text }
}

/** Else the first part belongs to the name: `library/busybox`. */
const hasDomain = (first: string): boolean => first === "localhost" || /[.:[A-Z]/u.test(first)

const nameProblem = (name: string): string | undefined => {
  if (name.length > maxName) return `has a name longer than ${maxName} characters`
  const slash = name.indexOf("/")
  const first = slash < 0 ? "" : name.slice(0, slash)
  if (hasDomain(first) && !domain.test(first)) return "has a registry that is no host"
  const rest = hasDomain(first) ? name.slice(slash + 1) : name
  if (path.test(rest)) return undefined
  return path.test(rest.toLowerCase()) ? upperCaseProblem : "is no image name"
}

/**
 * The image's name with its registry and without tag and digest, as credentials are looked up by it
 * (github.com/distribution/reference ParseNormalizedNamed): `busybox:1` is `docker.io/library/busybox`.
 */
export const repositoryOf = (text: string): string => {
  const at = text.indexOf("@")
  const named = at < 0 ? text : text.slice(0, at)
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1)
  const name = colon < 0 ? named : named.slice(0, colon)
  const slash = name.indexOf("/")
  const first = slash < 0 ? "" : name.slice(0, slash)
  if (first === "index.docker.io" || first === "docker.io") {
    const rest = name.slice(slash + 1)
    return rest.includes("/") ? `docker.io/${rest}` : `docker.io/library/${rest}`
  }
  if (hasDomain(first)) return name
  return slash < 0 ? `docker.io/library/${name}` : `docker.io/${name}`
}
