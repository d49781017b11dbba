/** A look at the source's actor: which files declare which pods, now. */
import { Context } from "effect"
import type { SourceState } from "./state.ts"

export const SourceLook = Context.Reference<{ readonly files: () => SourceState["files"] }>("chronode/SourceLook", {
  defaultValue: () => ({ files: () => ({}) })
})
