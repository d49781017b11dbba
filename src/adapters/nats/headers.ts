/** The headers of a published event. */
import { type MsgHdrs, MsgHdrsImpl } from "@nats-io/nats-core"
import { contentType } from "../../events/envelope.ts"
import { chainHeadHeader } from "../../events/journal/head-text.ts"
import type { OutgoingMessage } from "./port.ts"

/** Not through `headers()`, which checks and searches at every name; what stands in them is printable ASCII. */
export const eventHeaders = (
  { id, chainHead }: OutgoingMessage,
  more: Readonly<Record<string, Array<string>>> = {}
): MsgHdrs =>
  MsgHdrsImpl.fromRecord({
    "Nats-Msg-Id": [id],
    ...more,
    "Content-Type": [contentType],
    ...(chainHead === undefined ? {} : { [chainHeadHeader]: [chainHead] })
  })
