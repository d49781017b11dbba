/** Frames: what is on the screen for a model and a size. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { parseExpression } from "../../../src/cli/filter/expression.ts"
import { painter } from "../../../src/cli/text.ts"
import { Choice } from "../../../src/cli/top/choice.ts"
import { frame, type Size } from "../../../src/cli/top/frame.ts"
import { widthOf } from "../../../src/cli/top/layout.ts"
import { type Model, promptProblem, textShown } from "../../../src/cli/top/model.ts"
import { changes } from "../../../src/cli/top/screen.ts"
import { tableNames } from "../../../src/cli/top/tables.ts"
import type { Usage } from "../../../src/cli/usage.ts"
import { start } from "../../events/recorded.ts"
import { Emulator } from "../pseudo-terminal.ts"
import { events, modelOf } from "./told.ts"

const plain = painter(false)
const shown = (model: Model, columns: number, rows: number) =>
  frame(model, { columns, rows }, plain)
    .map((line) => line.trimEnd())
    .join("\n")
/** Times of the frames are local. */
const clock = (seconds: number) => {
  const at = new Date(start + seconds * 1000)
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((n) => String(n).padStart(2, "0")).join(":")
}

describe("a frame", () => {
  it("shows the node, the tables, the rows and the newest events", () => {
    assert.equal(
      shown(modelOf(events), 100, 20),
      `
node1                                                                                           LIVE
10 events  1.0/s (1 min 0.15/s)  head 10  publish lag 3
[1 Pods 1] 2 Containers 1  3 Probes 0  4 Volumes 0  5 Images 1
 NAMESPACE  NAME  STATUS  READY  RESTARTS  CPU  MEMORY  AGE  LAST TROUBLE
>default    web   Error     0/1         1    -       -   8s  2s ago: starting app (restart 1): it e…








── newest events ───────────────────────────────────────────────────────────────────────────────────
${clock(9)} INFO  pod default/web.v2         SandboxStopped          sandbox s2 is stopped
${clock(8)} INFO  node node1                 NodeStopped             agent stopped: SIGTERM
${clock(7)} INFO  pod default/web            ContainerStartRequest…  starting app (restart 1): it ende…
${clock(6)} WARN  pod default/web            ContainerExited         app ended with exit code 137 (sig…
${clock(5)} WARN  pod default/web            ContainerKillRequested  stopping app (grace 30 s): its li…
? help  q quit  Enter why  e events  / filter  s sort  p pause  [ ] step`.trimStart()
    )
  })

  it("shows what pods, containers that run and the node use, where the agent says it", () => {
    const usage: Usage = new Map([
      ["node", { cpu: 420, memory: 3 * 1024 ** 3 }],
      ["pod/default/web", { cpu: 250, memory: 24 * 1024 ** 2 }],
      ["container/default/web/app", { memory: 1_000 }]
    ])
    const running = events.slice(0, 3)
    const pods = shown(modelOf(running, "pods", Choice.all(), usage), 100, 20).split("\n")
    assert.match(pods[0] ?? "", /^node1 {2}cpu 420m {2}memory 3.0 GiB +LIVE$/u)
    assert.match(pods[4] ?? "", /^>default +web +\S+ +0\/1 +0 +250m +24.0 MiB/u)
    const containers = (recorded: typeof events) =>
      shown(modelOf(recorded, "containers", Choice.all(), usage), 100, 20).split("\n")[4] ?? ""
    assert.match(containers(running), / - {2}1000 B /u)
    assert.match(containers(events), /terminated: Error +\S+ +1 +- +- /u)
  })

  it("fits a terminal of 40 by 10", () => {
    assert.equal(
      shown(modelOf(events, "containers"), 40, 10),
      `
node1                               LIVE
 1 Pod [2 Con] 3 Pro  4 Vol  5 Img
 CONTAINER  STATE              RESTARTS
>app        terminated: Error         1



── newest events ───────────────────────
${clock(9)} INFO  pod default/web.v2  sand…
? help  q quit  Enter why  e events  / …
`.trim()
    )
  })

  it("is as large as the screen, whatever is on it and however large that is", () => {
    const models = [
      ...tableNames.map((table) => modelOf(events, table)),
      modelOf([]),
      modelOf(events, "pods", Choice.containing("漢字漢字")),
      promptProblem(modelOf(events), "column 1: no field 'x'\n    x\n    ^"),
      textShown(modelOf(events), "why: pod default/web", `${"word ".repeat(500)}\n${"x".repeat(500)}`),
      { ...modelOf(events), isPaused: true, note: "n".repeat(300) }
    ]
    const sizes: ReadonlyArray<Size> = [
      { columns: 1, rows: 1 },
      { columns: 39, rows: 9 },
      { columns: 40, rows: 10 },
      { columns: 47, rows: 13 },
      { columns: 80, rows: 24 },
      { columns: 133, rows: 50 },
      { columns: 300, rows: 16 }
    ]
    for (const model of models)
      for (const size of sizes) {
        const lines = frame(model, size, plain)
        assert.equal(lines.length, size.rows)
        for (const line of lines) assert.ok(widthOf(line) <= size.columns, `${size.columns}: ${line}`)
      }
  })

  it("shows no control character that the log holds", () => {
    const evil = events.map((recorded) =>
      recorded.event._tag === "ProbeResultChanged" || recorded.event._tag === "ProbeFailed"
        ? { ...recorded, event: { ...recorded.event, output: "\u001b[2J\u0007\nboo" } }
        : recorded
    )
    const model = modelOf(evil.slice(0, 5))
    for (const line of frame(model, { columns: 200, rows: 24 }, plain))
      assert.ok(!/[\u0000-\u001f\u007f]/u.test(line), line)
    assert.match(shown(model, 200, 24), /\\u001b\[2J\\u0007 boo/u)
  })

  it("is drawn over another by its differences", () => {
    const paint = painter(true)
    const size = { columns: 90, rows: 20 }
    const [before, after] = [frame(modelOf(events.slice(0, 5)), size, paint), frame(modelOf(events), size, paint)]
    const [whole, step] = [new Emulator(), new Emulator()]
    for (const screen of [whole, step]) screen.write("\u001b[?1049h\u001b[2J")
    whole.write(changes([], after))
    step.write(changes([], before))
    step.write(changes(before, after))
    assert.deepEqual(step.lines, whole.lines)
    assert.equal(changes(after, after), "")
    assert.ok(changes(before, after).length < changes([], after).length)
  })
})

describe("what is chosen", () => {
  const titles = (choice: Choice, table: Parameters<typeof modelOf>[1] = "pods") => {
    const { view } = modelOf(events, table, choice)
    return [view.rows.map(({ title }) => title).join(" "), view.newest.map(({ id }) => id).join(" ")]
  }
  const expression = (text: string) => Choice.of(parseExpression(text, start))
  it("is events, and the rows that it holds for or that such an event is about", () => {
    const [pod, container] = ["pod default/web", "container default/web/app"]
    assert.deepEqual(titles(expression("severity >= WARN")), [pod, "e7 e6 e4"])
    assert.deepEqual(titles(expression("severity >= WARN"), "containers"), [container, "e7 e6 e4"])
    assert.deepEqual(titles(expression("severity > WARN")), ["", ""])
    assert.deepEqual(titles(expression('type == "NodeStopped"')), ["", "e9"])
    assert.deepEqual(titles(expression('ns == "default" && sequence > 20')), ["", ""])
    assert.deepEqual(titles(expression('pod == "default/web"'), "containers"), [container, "e8 e7 e6 e5 e4 e3 e2"])
    assert.deepEqual(titles(expression('name == "web" && kind == "pod"')), [pod, "e8 e7 e6 e3 e2"])
  })

  it("is what contains a plain text, in any case", () => {
    assert.deepEqual(titles(Choice.containing("EXIT CODE 137")), ["pod default/web", "e7"])
    assert.deepEqual(titles(Choice.containing("nothing of the kind")), ["", ""])
  })
})
