import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "node:test"
import { addressBytes, addressText } from "../../../src/adapters/netlink/addresses.ts"
import { connect } from "../../../src/adapters/netlink/connection.ts"
import { NetlinkError } from "../../../src/adapters/netlink/error.ts"
import { Attributes, forEachMessage, type Message } from "../../../src/adapters/netlink/reader.ts"
import { type Exchange, replayed } from "../../../src/adapters/netlink/recording.ts"
import { maxAttributeBytes, Writer } from "../../../src/adapters/netlink/writer.ts"
import { roundsOr, seededRandom } from "../../support/random.ts"
import { plain, recordedCalls } from "./recorded-calls.ts"

const random = seededRandom("netlink codec")
const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => random.int(0, 255))
const reasonOf = (run: () => unknown): string | undefined => {
  try {
    run()
  } catch (error) {
    // Whatever the kernel says, nothing else may be thrown.
    assert.ok(error instanceof NetlinkError, String((error as Error).stack))
    return error.reason
  }
  return undefined
}

/** A random attribute: how it is written, and how it must be read. */
type Tree =
  | { readonly type: number; readonly kind: "nested"; readonly inner: ReadonlyArray<Tree> }
  | { readonly type: number; readonly kind: Scalar; readonly value: number | bigint | string | Uint8Array }
type Scalar = "u8" | "u16" | "u16BE" | "u32" | "u32BE" | "u64" | "u64BE" | "text" | "bytes" | "flag"

const scalars: Readonly<Record<Scalar, () => number | bigint | string | Uint8Array>> = {
  u8: () => random.int(0, 0xff),
  u16: () => random.int(0, 0xffff),
  u16BE: () => random.int(0, 0xffff),
  u32: () => random.int(0, 0xffff_ffff),
  u32BE: () => random.int(0, 0xffff_ffff),
  u64: () => (BigInt(random.int(0, 0xffff_ffff)) << 32n) | BigInt(random.int(0, 0xffff_ffff)),
  u64BE: () => BigInt(random.int(0, 0xffff_ffff)) << 20n,
  text: () => Array.from({ length: random.int(0, 20) }, () => random.pick([..."abcä漢-0"])).join(""),
  bytes: () => bytes(random.int(0, 40)),
  flag: () => new Uint8Array(0)
}

const tree = (depth: number): Tree => {
  const type = random.int(1, 100)
  if (depth > 0 && random.chance(0.3)) {
    return { type, kind: "nested", inner: Array.from({ length: random.int(0, 5) }, () => tree(depth - 1)) }
  }
  const kind = random.pick(Object.keys(scalars) as Array<Scalar>)
  return { type, kind, value: scalars[kind]() }
}

const writers: Readonly<Record<Scalar, (writer: Writer, type: number, value: never) => void>> = {
  u8: (writer, type, value) => writer.attributeU8(type, value),
  u16: (writer, type, value) => writer.attributeU16(type, value),
  u16BE: (writer, type, value) => writer.attributeU16BE(type, value),
  u32: (writer, type, value) => writer.attributeU32(type, value),
  u32BE: (writer, type, value) => writer.attributeU32BE(type, value),
  u64: (writer, type, value) => writer.attributeU64(type, value),
  u64BE: (writer, type, value) => writer.attributeU64BE(type, value),
  text: (writer, type, value) => writer.attributeString(type, value),
  bytes: (writer, type, value) => writer.attributeBytes(type, value),
  flag: (writer, type) => writer.flag(type)
}

const writeTree = (writer: Writer, one: Tree): void => {
  if (one.kind === "nested") {
    const at = writer.beginNested(one.type)
    for (const inner of one.inner) writeTree(writer, inner)
    writer.endAttribute(at)
    return
  }
  writers[one.kind](writer, one.type, one.value as never)
}

const readTrees = (each: Attributes, expected: ReadonlyArray<Tree>): void => {
  for (const one of expected) {
    assert.ok(each.next())
    assert.equal(each.type, one.type)
    if (one.kind === "nested") readTrees(each.nested(), one.inner)
    else if (one.kind === "bytes" || one.kind === "flag") assert.deepEqual(each.copy, one.value)
    else assert.equal(each[one.kind], one.value)
  }
  assert.equal(each.next(), false)
}

const messagesOf = (datagram: Uint8Array): ReadonlyArray<Message> => {
  const messages: Array<Message> = []
  forEachMessage(datagram, (message) => messages.push(message))
  return messages
}

describe("messages", () => {
  it("are read as they were written, whatever their attributes are", () => {
    for (let round = 0; round < roundsOr(200); round++) {
      const writer = new Writer()
      const written = Array.from({ length: random.int(1, 6) }, () => ({
        type: random.int(16, 0xffff),
        flags: random.int(0, 0xffff),
        sequence: random.int(1, 0x7fff_ffff),
        trees: Array.from({ length: random.int(0, 8) }, () => tree(3))
      }))
      for (const { type, flags, sequence, trees } of written) {
        const at = writer.beginMessage(type, flags, sequence)
        for (const one of trees) writeTree(writer, one)
        writer.endMessage(at)
      }
      const read = messagesOf(writer.written)
      assert.equal(read.length, written.length)
      read.forEach((message, k) => {
        const { type, flags, sequence, trees } = written[k]!
        assert.deepEqual([message.type, message.flags, message.sequence, message.portId], [type, flags, sequence, 0])
        readTrees(Attributes.of(message, 0), trees)
      })
    }
  })

  it("grow the buffer as need be, and keep what was written", () => {
    const writer = new Writer()
    const at = writer.beginMessage(20, 0, 1)
    const parts = Array.from({ length: 100 }, () => bytes(1000))
    for (const part of parts) writer.attributeBytes(1, part)
    writer.endMessage(at)
    const each = Attributes.of(messagesOf(writer.written)[0]!, 0)
    for (const part of parts) assert.ok(each.next() && Buffer.compare(each.raw, part) === 0)
  })

  it("refuse an attribute that is longer than its length can say", () => {
    const writer = new Writer()
    const run = (length: number) => () => writer.attributeBytes(1, new Uint8Array(length))
    assert.equal(reasonOf(run(maxAttributeBytes - 4)), undefined)
    assert.equal(reasonOf(run(maxAttributeBytes - 3)), "TooLarge")
  })

  it("that are cut or say other lengths than they have are malformed", () => {
    const writer = new Writer()
    const at = writer.beginMessage(20, 0, 1)
    writer.attributeU32(1, 7)
    writer.endMessage(at)
    const whole = writer.written.slice()
    const walk = (datagram: Uint8Array) => () => {
      for (const message of messagesOf(datagram)) {
        const each = Attributes.of(message, 0)
        while (each.next()) each.u32
      }
    }
    assert.equal(reasonOf(walk(whole)), undefined)
    for (let length = 1; length < whole.length; length++) {
      assert.equal(reasonOf(walk(whole.slice(0, length))), "Malformed", `${length} bytes`)
    }
    for (const [position, value] of [
      [0, 15],
      [0, 255],
      [16, 3],
      [16, 9],
      [16, 6]
    ] as const) {
      const changed = whole.slice()
      changed[position] = value
      assert.equal(reasonOf(walk(changed)), "Malformed", `${value} at ${position}`)
    }
  })
})

describe("addresses", () => {
  it("are the same text again", () => {
    for (const text of ["0.0.0.0", "10.96.0.1", "255.255.255.255", "::", "::1", "fd00::1:0:0:2", "2001:db8::"]) {
      assert.equal(addressText(addressBytes(text)), text)
    }
    for (const text of ["", "10.96.0", "10.96.0.256", "10.96.0.1.2", "fd00", "fd00:::1", "eth0"]) {
      assert.equal(
        reasonOf(() => addressBytes(text)),
        "Refused",
        text
      )
    }
    assert.equal(
      reasonOf(() => addressText(new Uint8Array(5))),
      "Malformed"
    )
  })
})

interface Fixture {
  readonly kernel: string
  readonly answer: unknown
  readonly exchanges: ReadonlyArray<Exchange>
}

const fixtures = join(import.meta.dirname, "fixtures")
const fixture = (name: string): Fixture => JSON.parse(readFileSync(join(fixtures, `${name}.json`), "utf8")) as Fixture

describe("what a kernel said once", () => {
  it("is all judged here", () => {
    const names = readdirSync(fixtures).map((file) => file.replace(/\.json$/u, ""))
    assert.deepEqual(names.filter((name) => name in recordedCalls).sort(), Object.keys(recordedCalls).sort())
  })

  for (const [name, { call }] of Object.entries(recordedCalls)) {
    it(`is understood again, and asked for with the same bytes: ${name}`, () => {
      const { answer, exchanges } = fixture(name)
      assert.deepEqual(plain(call(connect(replayed(exchanges)))), answer)
    })

    it(`cut or with wrong bytes is an error at worst, and never the end: ${name}`, () => {
      const { exchanges } = fixture(name)
      const seen = new Set<string | undefined>()
      for (let round = 0; round < roundsOr(300); round++) {
        const damaged = exchanges.map(({ sent, received }) => ({ sent, received: received.map(damage) }))
        seen.add(reasonOf(() => call(connect(replayed(damaged), { answerMillis: 5 }))))
      }
      assert.ok(seen.has("Malformed"), [...seen].join(" "))
    })
  }
})

/** Sometimes cut, sometimes with some other bytes. */
const damage = (hex: string): string => {
  const datagram = Buffer.from(hex, "hex")
  if (random.chance(0.2)) return datagram.subarray(0, random.int(0, datagram.length)).toString("hex")
  for (let k = random.pick([0, 1, 1, 4, 30]); k > 0 && datagram.length > 0; k--) {
    datagram[random.int(0, datagram.length - 1)] = random.pick([0, 1, 4, 0xff, random.int(0, 255)])
  }
  return datagram.toString("hex")
}
