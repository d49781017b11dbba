/** Elements as nft(8) writes them, for its input and for people. */
import type { IpFamily } from "../../../events/service-shape.ts"
import { addressBytes, addressText, type Bytes, indexOf, portText, protocolText } from "./bytes.ts"
import type { Operation } from "./delta.ts"
import type { Value } from "./elements.ts"
import type { Part, SetShape } from "./layout.ts"
import { tableText } from "./skeleton.ts"

const partText = (part: Part, bytes: Bytes): string => {
  switch (part) {
    case "address":
    case "source":
      return addressText(bytes)
    case "protocol":
      return protocolText(bytes)
    case "port":
      return portText(bytes)
    case "index":
      return String(indexOf(bytes))
  }
}

const widthOf = (part: Part, family: IpFamily): number =>
  part === "address" || part === "source" ? addressBytes(family) : 4

/** `10.96.0.1 . tcp . 80` */
export const keyText = (set: SetShape, key: Bytes, family: IpFamily): string => {
  let at = 0
  return set.key
    .map((part) => {
      const bytes = key.slice(at, at + widthOf(part, family))
      at += bytes.length
      return partText(part, bytes)
    })
    .join(" . ")
}

/** `goto cluster-8` or `10.200.0.1 . 8080` */
export const valueText = (set: SetShape, value: Value, family: IpFamily): string =>
  set.value !== "server"
    ? value
    : `${addressText(value.slice(0, addressBytes(family)))} . ${portText(value.slice(addressBytes(family)))}`

/** `ip services 10.96.0.1 . tcp . 80 : goto cluster-8` */
export const elementText = (set: SetShape, key: Bytes, value: Value, family: IpFamily): string => {
  const what = `${set.name} ${keyText(set, key, family)}`
  return set.value === "none" ? what : `${what} : ${valueText(set, value, family)}`
}

/** Elements in one command: nft's parser is slowed down by far longer lines. */
const maxElementsPerCommand = 512

const command = (
  table: string,
  verb: "add" | "delete",
  set: SetShape,
  family: IpFamily,
  elements: ReadonlyArray<string>
): string => `${verb} element ${tableText(family, table)} ${set.name} { ${elements.join(", ")} }`

/** Commands that do these operations; those of one set are put together, what goes before what comes. */
export const operationsText = (table: string, operations: Iterable<Operation>): ReadonlyArray<string> => {
  const groups = new Map<string, { set: SetShape; family: IpFamily; gone: Array<string>; come: Array<string> }>()
  for (const { set, family, key, before, after } of operations) {
    const id = `${family}${set.id}`
    const group = groups.get(id) ?? { set, family, gone: [], come: [] }
    groups.set(id, group)
    const text = keyText(set, key, family)
    if (before !== undefined) group.gone.push(text)
    if (after !== undefined) group.come.push(set.value === "none" ? text : `${text} : ${valueText(set, after, family)}`)
  }
  const lines: Array<string> = []
  for (const { set, family, gone, come } of groups.values()) {
    for (const [verb, texts] of [
      ["delete", gone],
      ["add", come]
    ] as const) {
      for (let at = 0; at < texts.length; at += maxElementsPerCommand) {
        lines.push(command(table, verb, set, family, texts.slice(at, at + maxElementsPerCommand)))
      }
    }
  }
  return lines
}
