/** A listing that hardly changes: what is decoded anew, and what is not. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf"
import { decodeContainer } from "../../../src/adapters/cri/decode.ts"
import {
  ContainerSchema,
  ContainerState,
  ListContainersResponseSchema
} from "../../../src/adapters/cri/generated/api_pb.js"
import { makeListing } from "../../../src/adapters/cri/listing.ts"

const item = (id: string, state = ContainerState.CONTAINER_RUNNING): MessageInitShape<typeof ContainerSchema> => ({
  id,
  podSandboxId: "box",
  metadata: { name: id, attempt: 1 },
  imageRef: "sha256:1",
  state,
  createdAt: 1_700_000_000_000_000_000n,
  labels: { app: id }
})
const response = (...containers: ReadonlyArray<MessageInitShape<typeof ContainerSchema>>): Uint8Array =>
  toBinary(ListContainersResponseSchema, create(ListContainersResponseSchema, { containers: [...containers] }))
const listing = () => makeListing(ContainerSchema, ContainerSchema.field.state.number, decodeContainer)

describe("a listing of everything", () => {
  it("has the same values as the messages decoded one by one, in their order", () => {
    const read = listing()
    const messages = [
      item("a"),
      item("b", ContainerState.CONTAINER_CREATED),
      item("c", ContainerState.CONTAINER_EXITED)
    ]
    const expected = messages.map((message) => decodeContainer(create(ContainerSchema, message)))
    for (let again = 0; again < 3; again++) assert.deepEqual(read(response(...messages)), expected)
    assert.deepEqual(read(response(messages[2]!, messages[0]!)), [expected[2], expected[0]])
    assert.deepEqual(read(response()), [])
  })

  it("takes what is unchanged from the listing before, and decodes what changed", () => {
    const read = listing()
    const [a, b] = read(response(item("a"), item("b")))
    const [laterA, laterB, c] = read(response(item("a", ContainerState.CONTAINER_EXITED), item("b"), item("c")))
    assert.equal(laterB, b)
    assert.deepEqual(laterA, { ...a, state: "CONTAINER_EXITED" })
    assert.equal(c?.labels.app, "c")
  })

  it("forgets what is not listed any more", () => {
    const read = listing()
    const [first] = read(response(item("a")))
    read(response())
    assert.notEqual(read(response(item("a")))[0], first)
  })

  it("throws for bytes that are no listing", () => {
    for (const bytes of [
      Uint8Array.of(0x0a, 0x7f, 0x01),
      Uint8Array.of(0x0a, 0x02, 0x0a, 0x09),
      Uint8Array.of(0xff),
      response({ ...item(""), id: "" })
    ])
      assert.throws(() => listing()(bytes))
  })
})
