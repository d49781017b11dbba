/** Rules in one form, whether we wrote them or iptables-save did: what is equal there is equal in the kernel. */
import { canonicalCidr, canonicalIp } from "../../../events/ip-address.ts"

export interface NormalRule {
  /** All but the comment. */
  readonly key: string
  readonly comment: string
}

const word = /"((?:[^"\\]|\\.)*)"|(\S+)/gu

/** Arguments of a rule's text; quotes are iptables-save's. */
export const wordsOf = (rule: string): ReadonlyArray<string> => {
  const words: Array<string> = []
  for (const [, quoted, plain] of rule.matchAll(word)) {
    words.push(plain ?? (quoted as string).replaceAll(/\\(.)/gu, "$1"))
  }
  return words
}

/** In the usual text; what is no address stays as it is. */
const addressText = (text: string): string => (text.includes(":") ? (canonicalIp(text) ?? text) : text)

/** `10.0.0.0/8`; without the length where it is a host. Bits behind the network are cleared, as the kernel does. */
const cidrText = (text: string): string => {
  const slash = text.indexOf("/")
  if (slash === -1) return addressText(text)
  const address = text.slice(0, slash)
  const isHost = text.slice(slash + 1) === (address.includes(":") ? "128" : "32")
  return isHost ? addressText(address) : (canonicalCidr(text) ?? text)
}

/** `10.0.0.1:80`, `[fd00::1]:80` */
const destinationText = (text: string): string => {
  const parts = /^\[(.+)\](:\d+)?$/u.exec(text)
  return parts === null ? text : `[${addressText(parts[1] as string)}]${parts[2] ?? ""}`
}

/** The kernel holds a probability in 31 bits (linux/netfilter/xt_statistic.h). */
const probabilityUnit = 2 ** 31

/** Options with a value that is not kept as it stands. */
const valueForms: Readonly<Record<string, (value: string) => string>> = {
  "-s": cidrText,
  "-d": cidrText,
  "--to-destination": destinationText,
  "--probability": (value) => String(Math.round(Number(value) * probabilityUnit)),
  "--ctstate": (value) => value.split(",").sort().join(",")
}

const long: Readonly<Record<string, string>> = {
  "--protocol": "-p",
  "--source": "-s",
  "--src": "-s",
  "--destination": "-d",
  "--dst": "-d",
  "--in-interface": "-i",
  "--out-interface": "-o",
  "--jump": "-j",
  "--goto": "-g",
  "--destination-port": "--dport",
  "--source-port": "--sport"
}

/** What iptables-save writes although nobody asked for it, and what it leaves out although somebody did. */
const defaults: ReadonlySet<string> = new Set([
  "-s 0.0.0.0/0",
  "-s ::/0",
  "-d 0.0.0.0/0",
  "-d ::/0",
  "--rsource",
  "--mask 255.255.255.255",
  "--mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  "--reject-with icmp-port-unreachable",
  "--reject-with icmp6-port-unreachable"
])

const markForms: Readonly<Record<string, (value: string) => string>> = {
  "--or-mark": (value) => `--set-xmark ${value}/${value}`,
  "--xor-mark": (value) => `--set-xmark ${value}/0x0`
}

const isOption = (text: string): boolean => text.startsWith("-") && text.length > 1

export const normalOf = (rule: string): NormalRule => {
  const words = wordsOf(rule)
  const options: Array<string> = []
  let comment = ""
  for (let at = 0; at < words.length; ) {
    const not = words[at] === "!"
    if (not) at += 1
    const written = words[at++] as string | undefined
    if (written === undefined) break
    const name = long[written] ?? written
    const values: Array<string> = []
    while (
      at < words.length &&
      words[at] !== "!" &&
      (name === "--comment" ? values.length === 0 : !isOption(words[at] as string))
    ) {
      values.push(words[at++] as string)
    }
    // Which module a match belongs to follows from the match.
    if (name === "-m") continue
    if (name === "--comment") {
      comment = values[0] ?? ""
      continue
    }
    const value = values.map(valueForms[name] ?? ((text) => text)).join(" ")
    const text = markForms[name]?.(value) ?? (value === "" ? name : `${name} ${value}`)
    if (!defaults.has(text)) options.push(not ? `! ${text}` : text)
  }
  return { key: options.sort().join("\n"), comment }
}
