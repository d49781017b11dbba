/** Forms of names (`k8s.io/apimachinery/pkg/util/validation`). Each check answers what is wrong, or `undefined`. */

const label = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
const labelForm = new RegExp(`^${label}$`, "u")
const subdomainForm = new RegExp(`^${label}(?:\\.${label})*$`, "u")

export const maxLabel = 63
export const maxSubdomain = 253

type Check = (name: string) => string | undefined
const shown = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)

/** RFC 1123 label: containers, volumes, namespaces, host names. */
export const labelProblem: Check = (name) => {
  if (name.length > maxLabel) return `${shown(name)} is longer than ${maxLabel} characters`
  if (labelForm.test(name)) return undefined
  return `${shown(name)} is no DNS label: lower-case letters, digits and "-", with a letter or digit at both ends`
}

/** RFC 1123 subdomain: pods. */
export const subdomainProblem: Check = (name) => {
  if (name.length > maxSubdomain) return `${shown(name)} is longer than ${maxSubdomain} characters`
  if (subdomainForm.test(name)) return undefined
  return `${shown(name)} is no DNS name: labels of lower-case letters, digits and "-", joined by dots`
}

/** RFC 1035 label: Services. */
export const serviceNameProblem: Check = (name) =>
  labelProblem(name) ?? (/^[a-z]/u.test(name) ? undefined : `${shown(name)} does not begin with a letter`)

/** A key of a ConfigMap or Secret, which becomes the name of a file (IsConfigMapKey). */
export const configKeyProblem: Check = (key) => {
  if (key.length > maxSubdomain) return `the key ${shown(key)} is longer than ${maxSubdomain} characters`
  if (!/^[-._a-zA-Z0-9]+$/u.test(key)) return `${shown(key)} is no key: letters, digits, "-", "_" and "."`
  if (key === "." || key.startsWith("..")) return `${shown(key)} is no key: it must not be "." nor begin with ".."`
  return undefined
}

/** RFC 6335 service name: ports. */
export const portNameProblem: Check = (name) => {
  if (name.length > 15) return `${shown(name)} is longer than 15 characters`
  if (/^[a-z0-9]+(?:-[a-z0-9]+)*$/u.test(name) && /[a-z]/u.test(name)) return undefined
  return `${shown(name)} is no port name: lower-case letters, digits and single "-", with at least one letter`
}

/** Since Kubernetes 1.34 any printable ASCII but "=" may stand in a variable's name. */
export const variableNameProblem: Check = (name) =>
  /^[\x20-\x3c\x3e-\x7e]+$/u.test(name) ? undefined : `${shown(name)} is no variable name: printable ASCII without "="`

/** A uid becomes a directory's name and a part of a cgroup's. */
export const uidProblem: Check = (uid) =>
  /^[A-Za-z0-9][-A-Za-z0-9]{0,127}$/u.test(uid)
    ? undefined
    : `${shown(uid)} is no uid: up to 128 letters, digits and "-"`

/** RFC 9110 token. */
export const headerNameProblem: Check = (name) =>
  /^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/u.test(name) ? undefined : `${shown(name)} is no HTTP header name`

export const portProblem = (port: number): string | undefined =>
  Number.isInteger(port) && port >= 1 && port <= 65_535 ? undefined : `${port} is no port: 1 to 65535`

/** Label keys, types of conditions: a name of up to 63 characters, behind an optional DNS name and "/" (`IsQualifiedName`). */
export const qualifiedNameProblem: Check = (text) => {
  const slash = text.indexOf("/")
  const [prefix, name] = slash < 0 ? [undefined, text] : [text.slice(0, slash), text.slice(slash + 1)]
  if (prefix !== undefined && subdomainProblem(prefix) !== undefined) return `${shown(text)} has no DNS name before "/"`
  return name.length <= maxLabel && /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/u.test(name)
    ? undefined
    : `${shown(text)} is no qualified name: up to ${maxLabel} letters, digits, "-", "_" and ".", with a letter or digit at both ends`
}
