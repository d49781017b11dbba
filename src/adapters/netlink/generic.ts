/** Generic netlink: families that get their number when the kernel loads them (include/uapi/linux/genetlink.h). */
import { ask, type Connection, type Request } from "./connection.ts"
import { ENOENT } from "./errno.ts"
import { malformed, NetlinkError } from "./error.ts"
import { Attributes } from "./reader.ts"
import type { Writer } from "./writer.ts"

/** struct genlmsghdr: command, version, 2 bytes reserved. */
export const genericHeaderBytes = 4

/** The family that tells of families, and what is asked of it. */
const control = { family: 16, version: 1, getFamily: 3 } as const
const controlAttributes = { id: 1, name: 2, version: 3, groups: 7 } as const
const groupAttributes = { name: 1, id: 2 } as const

export interface GenericFamily {
  readonly name: string
  readonly id: number
  readonly version: number
  readonly groups: Readonly<Record<string, number>>
}

export const genericRequest = (
  family: Pick<GenericFamily, "id" | "version">,
  command: number,
  write: (writer: Writer) => void = () => undefined,
  flags = 0
): Request => ({
  type: family.id,
  flags,
  write: (writer) => {
    writer.u8(command)
    writer.u8(family.version)
    writer.u16(0)
    write(writer)
  }
})

const readGroups = (each: Attributes): Record<string, number> => {
  const groups: Record<string, number> = {}
  while (each.next()) {
    const group = each.nested()
    let name = ""
    let id = 0
    while (group.next()) {
      if (group.type === groupAttributes.name) name = group.text
      else if (group.type === groupAttributes.id) id = group.u32
    }
    groups[name] = id
  }
  return groups
}

const readFamily = (each: Attributes): GenericFamily => {
  let name = ""
  let id = 0
  let version = 0
  let groups: Record<string, number> = {}
  while (each.next()) {
    if (each.type === controlAttributes.id) id = each.u16
    else if (each.type === controlAttributes.name) name = each.text
    else if (each.type === controlAttributes.version) version = each.u32
    else if (each.type === controlAttributes.groups) groups = readGroups(each.nested())
  }
  return { name, id, version, groups }
}

/**
 * The family of a name, for requests of its version. Asking loads its module where the kernel has one (`genl-…` aliases).
 * Throws NetlinkError, `Unsupported` where there is no such family.
 */
export const findFamily = (connection: Connection, name: string): GenericFamily => {
  const operation = `find the netlink family ${name}`
  try {
    const [family] = ask(
      connection,
      operation,
      genericRequest({ id: control.family, version: control.version }, control.getFamily, (writer) =>
        writer.attributeString(controlAttributes.name, name)
      ),
      (message) =>
        message.type === control.family ? readFamily(Attributes.of(message, genericHeaderBytes)) : undefined
    )
    if (family === undefined || family.id === 0) throw malformed(`the kernel's answer names no number of ${name}`)
    return family
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.errno !== ENOENT) throw error
    const message = `this kernel has no ${name}, and no module of that name that could be loaded`
    throw new NetlinkError({ reason: "Unsupported", operation, message, errno: error.errno, errnoName: "ENOENT" })
  }
}
