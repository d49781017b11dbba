/** The filter language: what each field and function selects, and what is said of an expression that is wrong. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { UsageError } from "../../../src/cli/exit.ts"
import { parseExpression } from "../../../src/cli/filter/expression.ts"
import { matcher } from "../../../src/cli/filter.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import type { RecordedEvent } from "../../../src/events/envelope.ts"
import { recordedEvents, start } from "../../events/recorded.ts"
import { story } from "../story.ts"

/** The story's e1 … e10, and an event of a type that only a newer version knows. */
const known: ReadonlyArray<RecordedEvent> = story.map((draft, index) => ({
  ...draft,
  node: "node1",
  sequence: index + 1,
  recordedTime: draft.time
}))
const events: ReadonlyArray<RecordedEvent> = [
  ...known,
  {
    ...known[8]!,
    id: "e11",
    sequence: 11,
    event: { _tag: "Unknown", type: "dev.chronode.NodeTeleported.v3", data: { to: "moon", distance: 384.4 } }
  }
]
const conditionOf = (expression: string) => parseExpression(expression, start + 60_000)
const idsOf = (expression: string): string => {
  const condition = conditionOf(expression)
  const ids = events.filter(matcher({ condition })).map(({ id }) => id)
  assert.deepEqual(condition.undecided(), { events: 0, first: "" }, expression)
  return ids.join(" ")
}

describe("an expression", () => {
  it("selects by every field of an event", () => {
    for (const [expression, ids] of [
      ['type == "ContainerExited"', "e7"],
      ['type in ["ProbeFailed", "NodeStopped"]', "e4 e9"],
      ["version == 3", "e11"],
      ["severity >= WARN", "e4 e6 e7"],
      ["severity == WARN", "e4 e6 e7"],
      ["severity < INFO || severity > WARN", ""],
      ["severity in [WARN, ERROR]", "e4 e6 e7"],
      ['node != "node1"', ""],
      ['kind == "probe"', "e4 e5"],
      ['ns == ""', "e1 e9 e11"],
      ['name.startsWith("web.app.")', "e4 e5"],
      ['pod == "default/web"', "e2 e3 e4 e5 e6 e7 e8"],
      ['pod == ""', "e1 e9 e11"],
      ['container == "app"', "e3 e4 e5 e6 e7 e8"],
      ['probe == "liveness"', "e4 e5"],
      ['volume == ""', "e1 e2 e3 e4 e5 e6 e7 e8 e9 e10 e11"],
      ['id == "e3"', "e3"],
      ['cause == "e3"', "e4"],
      ['cause == "" && kind == "pod"', "e10"],
      ['correlation == "uid-v2"', "e10"],
      ['time >= timestamp("2026-01-15T09:30:08Z")', "e9 e10 e11"],
      ['recorded < timestamp("2026-01-15T09:30:01Z")', "e1"],
      ['time > now - duration("53s")', "e9 e10 e11"],
      ["time.getSeconds() == 2", "e3"],
      ["sequence % 5 == 0", "e5 e10"],
      ['text.contains("500")', "e4 e5"],
      ['text.lowerAscii().matches("^app ended with exit code [0-9]+")', "e7"],
      ["data.exitCode == 137 && data.signal != 15", "e7"],
      ["data.exitCode > 100.5", "e7"],
      ["data.exitCode in [1, 137]", "e7"],
      ["data.exitCode / 2 == 68", "e7"],
      ['data.pod.spec.containers.exists(c, c.name == "app" && !has(c.env))', "e2"],
      ["data.pod.spec.containers.filter(c, c.image.startsWith('web')).size() == 1", "e2"],
      ['data["to"] == "moon" && data.to.size() == 4', "e11"],
      ['data["distance"] > 384', "e11"],
      ['type.endsWith("ported")', "e11"]
    ] as const)
      assert.equal(idsOf(expression), ids, expression)
  })

  it("holds for no event that lacks a field of the data, whatever is asked of it, and goes on beside it", () => {
    assert.equal(idsOf("data.exitCode != 0"), "e7")
    assert.equal(idsOf("!(data.exitCode == 0)"), "e7")
    assert.equal(idsOf('data.exitCode == 137 || type == "NodeStopped"'), "e7 e9")
    assert.equal(idsOf('has(data.exitCode) ? data.exitCode == 137 : type == "NodeStopped"'), "e7 e9")
    assert.equal(idsOf("data.pod.spec.containers[7].name == 'app'"), "")
    assert.equal(idsOf('data["__proto__"] == {} || has(data.exitCode)'), "e7")
  })

  it("tells of events on which it cannot be decided", () => {
    const condition = conditionOf("data.message > 3")
    assert.deepEqual(events.filter(matcher({ condition })), [])
    assert.deepEqual(condition.undecided(), {
      events: 2,
      first: "sequence 6, ContainerKillRequested: no such overload: dyn<string> > int"
    })
  })

  it("learns from a pod's events which uid is its own", () => {
    const image = actorId("image", "", "web:1")
    const log = recordedEvents([
      { event: { _tag: "ImageFound", image: "web:1", imageId: "i1" }, actor: image, correlation: "u1" },
      { event: { _tag: "SandboxStopped", sandboxId: "s1" }, correlation: "u1" },
      { event: { _tag: "ImageFound", image: "web:1", imageId: "i1" }, actor: image, correlation: "u1" }
    ])
    const found = log.filter(matcher({ condition: conditionOf('pod.endsWith("/web")') }))
    assert.deepEqual(found.map(({ id }) => id).join(" "), "e2 e3")
  })

  it("takes its time from the length of the event, not from the shape of the pattern", () => {
    const [event] = recordedEvents([{ event: { _tag: "NodeStopped", reason: `${"a".repeat(20_000)}!` } }])
    assert.equal(matcher({ condition: conditionOf('data.reason.matches("^(a+)+$")') })(event!), false)
  })
})

describe("an expression that is wrong", () => {
  it("is told with its place, what is wrong, and what may have been meant", () => {
    for (const [expression, message] of [
      ["", /^--filter: column 1: it is empty/u],
      ["sevrity >= WARN", /column 1: no field 'sevrity'; did you mean severity\?\n {4}sevrity >= WARN\n {4}\^$/u],
      [
        "kind == 'pod' &&\n foo == 1",
        /line 2, column 2: no field 'foo'; there are type, version, .*\n {4} foo == 1\n {5}\^$/u
      ],
      ["severity >= WARNN", /no field 'WARNN'; did you mean WARN\?/u],
      ['severity >= "WARN"', /a severity is compared with TRACE, DEBUG, INFO, WARN or ERROR, without quotes/u],
      ['namespace == "default"', /'namespace' is a word that CEL reserves; the namespace is written ns/u],
      ['type == "ContainerExitd"', /column 9: no event type 'ContainerExitd'; did you mean ContainerExited\?/u],
      ['kind == "probes"', /column 9: no kind 'probes'; did you mean probe\? \(node, source/u],
      ["data.exitcode == 1", /column 6: no event has a field 'exitcode'; did you mean exitCode\?/u],
      ['type == "NodeStopped" && data.exitCode == 1', /column 31: NodeStopped: no field 'exitCode'/u],
      ['type = "ContainerExited"', /column 6: Unexpected character: =; 'equal' is written ==/u],
      ['kind == "pod" & true', /column 15: .*; 'and' is written &&/u],
      ["severity >=", /column 12: it ends too early/u],
      ["text", /this is a string, not a condition/u],
      ["sequence + 1", /this is a int, not a condition/u],
      ["type == 3", /no such overload: string == int/u],
      ["time > '2026'", /a time is written timestamp\("2026-11-21T05:53:47Z"\)/u],
      ['text.contians("x")', /column 5: no function 'contians' here; did you mean contains\?/u],
      ['text.matches("a(?=b)")', /column 14: error parsing regexp.*patterns are RE2's/u],
      ["data.pods.map(p, p) == []", /no function 'map' here; there are contains/u],
      ["data.pods.exists(p, data.pods.exists(q, p == q))", /a loop within a loop would cost too much/u],
      [`text == "${"x".repeat(5000)}"`, /longer than 4096 characters/u],
      [`${"!".repeat(3000)}true`, /Exceeded maxAstNodes/u]
    ] as const)
      assert.throws(
        () => conditionOf(expression),
        (error) => error instanceof UsageError && message.test(error.message),
        expression.slice(0, 60)
      )
  })

  it("lets a loop go over what the outer one holds", () => {
    assert.equal(idsOf('data.pod.spec.containers.exists(c, c.env.exists(e, e.name == "A"))'), "")
  })
})

describe("docs/filters.md", () => {
  it("shows expressions that are right", () => {
    const page = readFileSync(new URL("../../../docs/filters.md", import.meta.url), "utf8")
    const examples = page.slice(page.indexOf("## Examples")).matchAll(/\| `(.+)` \|$/gmu)
    const expressions = [...page.matchAll(/--filter '(.+)'/gu), ...examples].map(([, expression]) => expression!)
    assert.ok(expressions.length > 10)
    for (const expression of expressions) assert.doesNotThrow(() => conditionOf(expression), expression)
  })
})

describe("what an expression tells a store to select by", () => {
  it("is what all events that match have in common", () => {
    const pod = { namespace: "default", name: "web" }
    for (const [expression, narrowing, needsPods] of [
      ['type == "PodAdmitted" && data.qosClass == "BestEffort"', { types: new Set(["PodAdmitted"]) }, false],
      ['"PodAdmitted" == type', { types: new Set(["PodAdmitted"]) }, false],
      [
        'type in ["PodAdmitted", "PodRemoved"] && type != "PodAdmitted"',
        { types: new Set(["PodAdmitted", "PodRemoved"]) },
        false
      ],
      ['type == "PodAdmitted" && type in ["PodRemoved"]', { types: new Set() }, false],
      ['type == "PodAdmitted" || true', {}, false],
      ['!(type == "PodAdmitted")', {}, false],
      ['pod == "default/web"', { pod }, false],
      ['pod == "default/web" && pod != ""', { pod }, false],
      ['pod != "default/web"', {}, true],
      ['pod == "default/web" || pod == ""', {}, true],
      ['time >= timestamp("2026-01-15T09:30:00Z")', { since: start }, false],
      [
        'timestamp("2026-01-15T09:30:00Z") > time && time > now - duration("1h")',
        { since: start - 3_540_000, until: start },
        false
      ],
      ['time == timestamp("2026-01-15T09:30:00Z")', { since: start, until: start }, false],
      ["time > recorded", {}, false],
      ["sequence > 3 && (severity >= WARN || time < now)", {}, false]
    ] as const) {
      const condition = conditionOf(expression)
      assert.deepEqual(condition.narrowing, narrowing, expression)
      assert.equal(condition.needsPods, needsPods, expression)
    }
  })
})
