/** The ids on the host that are a pod's own: 0 to `length - 1` in its user namespace are `hostId` and on outside of it. */
import { Schema } from "effect"

export const UserNamespace = Schema.Struct({
  /** Of users and of groups; a multiple of `length`, never 0. */
  hostId: Schema.Int,
  length: Schema.Int
})
export type UserNamespace = typeof UserNamespace.Type
