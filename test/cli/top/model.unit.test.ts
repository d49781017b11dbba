import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Choice, isExpression } from "../../../src/cli/top/choice.ts"
import { keysIn } from "../../../src/cli/top/keys.ts"
import {
  chosen,
  type Model,
  markedIndex,
  promptProblem,
  type Request,
  reduce,
  sortedRows,
  textShown
} from "../../../src/cli/top/model.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { events, modelOf } from "./told.ts"

/** Pods a, b, c with 0, 1 and 1 restarts: the story of `web` under other names. */
const three = ["a", "b", "c"].flatMap((name) =>
  events
    .slice(1, name === "a" ? 3 : 8)
    .map((recorded) =>
      recorded.actor.kind === "pod"
        ? { ...recorded, id: `${name}-${recorded.id}`, actor: actorId("pod", "default", name) }
        : { ...recorded, actor: actorId("probe", "default", `${name}.app.liveness`) }
    )
)
const model = modelOf(three)

/** The model after these were typed, and what was asked for along the way. */
const after = (
  typed: string,
  before: Model = model
): { readonly model: Model; readonly requests: ReadonlyArray<Request> } => {
  const requests: Array<Request> = []
  let now = before
  for (const key of keysIn(typed)) {
    const { model: next, request } = reduce(now, key)
    now = next
    if (request !== undefined) requests.push(request)
  }
  return { model: now, requests }
}
const marked = (of: Model) => {
  const rows = sortedRows(of)
  return rows[markedIndex(of, rows)]?.key
}

describe("keys", () => {
  it("move the mark, within the rows", () => {
    for (const [typed, key] of [
      ["", "pod/default/a"],
      ["j", "pod/default/b"],
      ["jj\u001b[B", "pod/default/c"],
      ["jjk", "pod/default/b"],
      ["k", "pod/default/a"],
      ["G", "pod/default/c"],
      ["Gg", "pod/default/a"],
      ["\u001b[6~", "pod/default/c"],
      ["\u001b[F\u001b[5~", "pod/default/a"]
    ] as const)
      assert.equal(marked(after(typed).model), key, JSON.stringify(typed))
  })

  it("keep the mark on its row when rows come and go, and stay near where it is gone", () => {
    const { model: at } = after("jj")
    const gone = { ...at, view: { ...at.view, rows: at.view.rows.slice(0, 2) } }
    assert.equal(marked(gone), "pod/default/b")
    assert.equal(marked({ ...at, view: { ...at.view, rows: at.view.rows.slice(1) } }), "pod/default/c")
    assert.equal(marked({ ...at, view: { ...at.view, rows: [] } }), undefined)
  })

  it("go from table to table, and ask to see it", () => {
    for (const [typed, table] of [
      ["2", "containers"],
      ["5", "images"],
      ["6", "pods"],
      ["\t", "containers"],
      ["\u001b[Z", "images"],
      ["\t\t\t\t\t", "pods"]
    ] as const)
      assert.equal(after(typed).model.table, table, JSON.stringify(typed))
    assert.deepEqual(after("3").requests, [{ _tag: "Look" }])
  })

  it("sort by the next column, numbers from the largest, and the other way round", () => {
    const order = (typed: string) =>
      sortedRows(after(typed).model)
        .map(({ key }) => key.at(-1))
        .join("")
    assert.equal(order(""), "abc")
    assert.equal(order("ss"), "abc") // NAME
    assert.equal(order("ssS"), "cba")
    assert.equal(order("sssss"), "bca") // RESTARTS
    assert.equal(order("sssssS"), "abc")
    assert.equal(order("ssssssss"), "abc") // beyond the last column: by name again
  })

  it("ask for why of what is marked, as of a pod or a container", () => {
    assert.deepEqual(after("j\r").requests, [
      { _tag: "Why", subject: { _tag: "Pod", namespace: "default", name: "b" }, title: "pod default/b" }
    ])
    const containers = modelOf(three, "containers")
    assert.deepEqual(after("\r", containers).requests, [
      {
        _tag: "Why",
        subject: { _tag: "Pod", namespace: "default", name: "a", container: "app" },
        title: "container default/a/app"
      }
    ])
    assert.deepEqual(after("\r", modelOf([])).requests, [])
    assert.match(after("\r", modelOf(three, "images")).model.note, /nothing is recorded of image web:1/u)
  })

  it("pause, step and quit; a file cannot be let go on", () => {
    assert.deepEqual(after("p[]q").requests, [
      { _tag: "Pause", paused: true },
      { _tag: "Step", by: -1 },
      { _tag: "Step", by: 1 },
      { _tag: "Quit" }
    ])
    assert.deepEqual(after("p", { ...model, isPaused: true }).requests, [{ _tag: "Pause", paused: false }])
    const file = after("p", { ...model, isOffline: true })
    assert.deepEqual(file.requests, [])
    assert.match(file.model.note, /\[ and \] step/u)
    assert.equal(after("j", file.model).model.note, "")
    for (const typed of ["\u0003", "/\u0003", "?\u0003"]) assert.deepEqual(after(typed).requests, [{ _tag: "Quit" }])
  })

  it("type a filter, mend it and give it up", () => {
    assert.deepEqual(after("/web q\u007f\u007f\r").requests, [{ _tag: "Filter", text: "web" }])
    assert.deepEqual(after("/web\u0015x\r").requests, [{ _tag: "Filter", text: "x" }])
    assert.deepEqual(after("/web\u001b").model.mode, { _tag: "Table" })
    const wrong = promptProblem(after("/sevrity > 1").model, "no field")
    assert.deepEqual(wrong.mode, { _tag: "Prompt", typed: "sevrity > 1", problem: "no field" })
    assert.deepEqual(after("2", wrong).model.mode, { _tag: "Prompt", typed: "sevrity > 12", problem: "" })
    const filtered = chosen(model, Choice.containing("web"))
    assert.deepEqual(after("/", filtered).model.mode, { _tag: "Prompt", typed: "web", problem: "" })
    assert.deepEqual(after("\u001b", filtered).requests, [{ _tag: "Filter", text: "" }])
    assert.deepEqual(after("\u001b").requests, [])
  })

  it("scroll a text and leave it", () => {
    const text = textShown(model, "why", "one\ntwo\nthree\u0007\n")
    assert.deepEqual(text.mode, { _tag: "Text", title: "why", lines: ["one", "two", "three\\u0007"], top: 0 })
    const top = (typed: string) => (after(typed, text).model.mode as { readonly top: number }).top
    assert.deepEqual([top("j"), top("jjjj"), top("jk"), top("G"), top("Gg")], [1, 2, 0, 2, 0])
    for (const key of ["q", "\u001b", "\r"]) assert.deepEqual(after(key, text).model.mode, { _tag: "Table" })
    assert.equal(after("?").model.mode._tag, "Text")
    const listed = after("je")
    assert.deepEqual(listed.model.mode, { _tag: "Events", key: "pod/default/b", title: "pod default/b", top: 0 })
    assert.deepEqual(after("[", listed.model).requests, [{ _tag: "Step", by: -1 }])
  })
})

describe("what is typed as a filter", () => {
  it("is an expression where it has an operator, else plain text", () => {
    for (const text of ["web", "default/web.v1", "exit code 137", "web:1-alpine", ""])
      assert.ok(!isExpression(text), text)
    for (const text of ['pod == "x"', "severity>=WARN", "has(data.x)", "!data.ready"])
      assert.ok(isExpression(text), text)
  })
})
