/** Says that the node takes pods again, and by which event: who brings pods asks for all of them anew. */
import { Context, Layer } from "effect"
import { type Bell, makeBell } from "../kernel/bell.ts"

export class Reopening extends Context.Service<Reopening, Bell<string>>()("chronode/Reopening") {
  static readonly layer = Layer.effect(Reopening, makeBell<string>())
}
