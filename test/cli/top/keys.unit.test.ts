import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { keysIn } from "../../../src/cli/top/keys.ts"

describe("what is read from a terminal", () => {
  it("is keys: letters, control characters, xterm's sequences, several at once", () => {
    for (const [read, keys] of [
      ["q", [{ text: "q" }]],
      ["é漢", [{ text: "é" }, { text: "漢" }]],
      ["\u001b[A\u001b[B\u001bOA", ["up", "down", "up"]],
      ["\u001b[5~\u001b[6~\u001b[H\u001b[4~", ["pageup", "pagedown", "home", "end"]],
      ["\u001b[Z\t", ["backtab", "tab"]],
      ["\r\n", ["enter", "enter"]],
      ["\u007f\b\u0015", ["backspace", "backspace", "clear"]],
      ["\u0003\u0004", ["interrupt", "interrupt"]],
      ["\u001b", ["escape"]],
      ["\u001bq", ["escape", { text: "q" }]],
      ["\u001b[15~\u001b[1;5C/", [{ text: "/" }]],
      ["\u0000\u0001a", [{ text: "a" }]]
    ] as const)
      assert.deepEqual(keysIn(read), keys, JSON.stringify(read))
  })
})
