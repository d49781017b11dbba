/**
 * Listings of everything, asked for every second: an item whose id and state are those of the listing before is the
 * value of that listing, and is not decoded again. All else that a runtime lists of a sandbox or container is fixed when
 * it is made.
 */
import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf"
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire"

/** Field number of the items in `ListPodSandboxResponse` and `ListContainersResponse`, and of the id in an item. */
const itemsField = 1
const idField = 1

const keyOf = (item: Uint8Array, stateField: number): string => {
  const reader = new BinaryReader(item)
  let id = ""
  let state = 0
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag()
    if (field === idField && wire === WireType.LengthDelimited) id = reader.string()
    else if (field === stateField && wire === WireType.Varint) state = reader.int32()
    else reader.skip(wire, field)
  }
  return `${id} ${state}`
}

/**
 * Answers a function from the bytes of a listing to its items; it throws for bytes that cannot be read.
 *
 * @param schema of one item
 * @param stateField number of the item's field that may change
 */
export const makeListing = <Item extends DescMessage, A>(
  schema: Item,
  stateField: number,
  decode: (item: MessageShape<Item>) => A
): ((response: Uint8Array) => ReadonlyArray<A>) => {
  let known: ReadonlyMap<string, A> = new Map()
  return (response) => {
    const reader = new BinaryReader(response)
    const items: Array<A> = []
    const listed = new Map<string, A>()
    while (reader.pos < reader.len) {
      const [field, wire] = reader.tag()
      if (field !== itemsField || wire !== WireType.LengthDelimited) {
        reader.skip(wire, field)
        continue
      }
      const bytes = reader.bytes()
      const key = keyOf(bytes, stateField)
      const item = known.get(key) ?? decode(fromBinary(schema, bytes))
      listed.set(key, item)
      items.push(item)
    }
    known = listed
    return items
  }
}
