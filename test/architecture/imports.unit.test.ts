import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { findViolations, type Violation } from "../../scripts/imports/rules.ts"
import { importsOf } from "../../scripts/imports/scan.ts"

type Sources = Readonly<Record<string, string>>
const check = (sources: Sources): ReadonlyArray<Violation> => findViolations(new Map(Object.entries(sources)))
/** `file:line rule` for each violation. */
const broken = (sources: Sources): ReadonlyArray<string> =>
  check(sources).map(({ file, line, rule }) => `${file}:${line} ${rule}`)

describe("the direction of imports", () => {
  it("lets cli see actors, actors see events and ports, adapters see events and ports, and wiring see all", () => {
    const sources = {
      "src/main.ts":
        'import { run } from "./cli/run.ts"\nimport { agent } from "./agent/agent.ts"\nimport p from "../package.json"',
      "src/agent/agent.ts":
        'import { live } from "../adapters/cri/live.ts"\nimport { pod } from "../actors/pod/behavior.ts"',
      "src/cli/run.ts":
        'import { pod } from "../actors/pod/plan.ts"\nimport { e } from "../events/e.ts"\nimport "../adapters/nats/port.ts"',
      "src/actors/pod/behavior.ts":
        'import { e } from "../../events/e.ts"\nimport { Cri } from "../../adapters/cri/port.ts"\nimport { k } from "../kernel/k.ts"',
      "src/actors/pod/plan.ts": 'import { e } from "../../events/e.ts"\nimport { Effect } from "effect"',
      "src/actors/kernel/k.ts": 'import { setTimeout } from "node:timers/promises"\nexport const k = setTimeout',
      "src/adapters/cri/live.ts":
        'import { Cri } from "./port.ts"\nimport { g } from "./generated/g.ts"\nimport { Host } from "../host/port.ts"\nimport "node:net"',
      "src/adapters/cri/generated/g.ts": "export const g = 1",
      "src/adapters/cri/port.ts": 'import { e } from "../../events/e.ts"',
      "src/adapters/host/port.ts": "export const Host = 1",
      "src/adapters/nats/port.ts": "export {}",
      "src/events/e.ts": 'import { Schema } from "effect"\nexport const e = Schema',
      "src/events/journal/sqlite.ts": 'import { DatabaseSync } from "node:sqlite"\nimport { e } from "../e.ts"'
    }
    assert.deepEqual(broken(sources), [])
  })

  const cases: ReadonlyArray<readonly [name: string, rule: string, sources: Sources]> = [
    [
      "a report reaches an actor",
      "reports-know-events",
      { "src/reports/a.ts": 'import { x } from "../actors/a/b.ts"' }
    ],
    ["a report reaches the command line", "reports-know-events", { "src/reports/a.ts": 'import "../cli/a.ts"' }],
    ["an actor knows a report", "reports-are-for-the-cli", { "src/actors/a/b.ts": 'import "../../reports/a.ts"' }],
    [
      "a report's page reaches Node",
      "browser-is-apart",
      {
        "src/reports/viewer/a.ts": 'import { x } from "../html/b.ts"',
        "src/reports/html/b.ts": 'import "node:fs"'
      }
    ],
    [
      "a report loads its page's code",
      "browser-is-apart",
      { "src/reports/html/a.ts": 'import { x } from "../viewer/a.ts"' }
    ],
    ["a timeline asks the clock", "pure-globals", { "src/reports/timeline/a.ts": "export const now = Date.now()" }],
    [
      "events reach an actor",
      "events-import-events",
      { "src/events/log/a.ts": 'import { x } from "../../actors/a/b.ts"' }
    ],
    ["events reach a port", "events-import-events", { "src/events/log/a.ts": 'import "../../adapters/cri/port.ts"' }],
    [
      "events know an actor's type",
      "events-import-events",
      { "src/events/log/a.ts": 'import type { X } from "../../actors/a/b.ts"' }
    ],
    [
      "an actor reaches live code of an adapter",
      "actors-use-ports",
      { "src/actors/a/b.ts": 'import { x } from "../../adapters/cri/live.ts"' }
    ],
    [
      "an actor loads live code later",
      "actors-use-ports",
      { "src/actors/a/b.ts": 'await import("../../adapters/cri/live.ts")' }
    ],
    [
      "an actor reaches the command line",
      "actors-know-no-cli",
      { "src/actors/a/b.ts": 'import { x } from "../../cli/run.ts"' }
    ],
    [
      "an adapter reaches an actor",
      "adapters-know-no-actor",
      { "src/adapters/cri/a.ts": 'import { x } from "../../actors/a/b.ts"' }
    ],
    [
      "a port knows an actor's type",
      "adapters-know-no-actor",
      { "src/adapters/cri/port.ts": 'import type { X } from "../../actors/a/b.ts"' }
    ],
    [
      "an adapter reaches another one's live code",
      "adapters-are-apart",
      { "src/adapters/cri/a.ts": 'export * from "../host/disk.ts"' }
    ],
    [
      "a worker of another adapter is started",
      "adapters-are-apart",
      { "src/adapters/cri/a.ts": 'new URL("../host/worker.ts", import.meta.url)' }
    ],
    [
      "the command line reaches live code",
      "cli-uses-ports",
      { "src/cli/a.ts": 'import { x } from "../adapters/nats/live.ts"' }
    ],
    ["a room reaches the wiring", "wiring-is-last", { "src/cli/a.ts": 'import { x } from "../agent/agent.ts"' }],
    [
      "generated code is used beside its adapter",
      "generated-is-private",
      { "src/agent/agent.ts": 'import { x } from "../adapters/cri/generated/api.ts"' }
    ],
    ["a file is in no room", "known-room", { "src/helpers.ts": "export const x = 1" }],
    ["source reaches a test", "no-tests-in-src", { "src/cli/a.ts": 'import { x } from "../../test/support/x.ts"' }],
    ["source uses the test runner", "no-tests-in-src", { "src/cli/a.ts": 'import { it } from "node:test"' }],
    ["source reaches a script", "no-tests-in-src", { "src/cli/a.ts": 'import { x } from "../../scripts/x.ts"' }],
    ["source leaves src", "inside-src", { "src/events/log/a.ts": 'import p from "../../../package.json"' }],
    ["source uses Bun's global", "one-runtime-file", { "src/cli/a.ts": "const f = Bun.file(name)" }],
    ["source asks for Deno", "one-runtime-file", { "src/cli/a.ts": 'if (typeof Deno === "object") start()' }],
    [
      "source reaches a runtime through globalThis",
      "one-runtime-file",
      { "src/cli/a.ts": "const d = globalThis.Deno" }
    ],
    ["source asks which runtime this is", "one-runtime-file", { "src/cli/a.ts": "const b = process.versions.bun" }],
    ["source imports Bun's modules", "one-runtime-file", { "src/cli/a.ts": 'import { dlopen } from "bun:ffi"' }]
  ]
  for (const [name, rule, sources] of cases) {
    it(`finds that ${name}`, () => {
      const [file] = Object.keys(sources)
      assert.deepEqual(broken(sources), [`${file}:1 ${rule}`])
      assert.notEqual(check(sources)[0]!.remedy, "")
    })
  }

  it("leaves the one file that may differ by runtime alone", () => {
    assert.deepEqual(broken({ "src/adapters/host/runtime.ts": "export const bun = typeof Bun !== 'undefined'" }), [])
  })

  it("names the line of the import", () => {
    const text = 'import { Effect } from "effect"\n\n/* a\n comment */\nimport {\n  x\n} from "../cli/run.ts"\n'
    assert.deepEqual(broken({ "src/events/a.ts": text }), ["src/events/a.ts:7 events-import-events"])
  })
})

describe("the pure parts", () => {
  const pureFiles = [
    "src/actors/probe/decider.ts",
    "src/actors/node/commands.ts",
    "src/actors/volume/state.ts",
    "src/actors/pod/phase.ts",
    "src/events/upcast.ts",
    "src/events/kinds/pod.ts"
  ]
  for (const file of pureFiles) {
    it(`may import no node: API in ${file}`, () => {
      assert.deepEqual(broken({ [file]: 'import { join } from "node:path"' }), [`${file}:1 pure-imports`])
    })
  }
  it("may not name a Node module without its prefix either", () => {
    assert.deepEqual(broken({ "src/events/a.ts": 'import { readFile } from "fs/promises"' }), [
      "src/events/a.ts:1 pure-imports"
    ])
  })
  it("may not load a file that loads a runtime's API", () => {
    const sources = {
      "src/actors/pod/plan.ts": 'import { name } from "../kernel/name.ts"',
      "src/actors/kernel/name.ts": 'export * from "./host.ts"',
      "src/actors/kernel/host.ts": 'import { hostname } from "node:os"'
    }
    assert.deepEqual(broken(sources), ["src/actors/pod/plan.ts:1 pure-reaches"])
    assert.match(check(sources)[0]!.message, /kernel\/name\.ts → src\/actors\/kernel\/host\.ts → node:os$/)
  })
  it("may know the types of a file that loads a runtime's API", () => {
    const sources = {
      "src/actors/pod/plan.ts": 'import type { Name } from "../kernel/host.ts"',
      "src/actors/kernel/host.ts": 'import { hostname } from "node:os"'
    }
    assert.deepEqual(broken(sources), [])
  })
  for (const use of [
    "Date.now()",
    "new Date()",
    "Math.random()",
    "process.env.HOME",
    "crypto.randomUUID()",
    "setTimeout(f, 1)"
  ]) {
    it(`may not use ${use}`, () => {
      assert.deepEqual(broken({ "src/actors/pod/decider.ts": `export const x = () => ${use}` }), [
        "src/actors/pod/decider.ts:1 pure-globals"
      ])
    })
  }
  it("may do arithmetic on times and have fields with such names", () => {
    const text =
      "export const x = (c) => new Date(c.at).toISOString() + c.process.name + c.fetch() + Date.parse(c.text)"
    assert.deepEqual(broken({ "src/actors/pod/decider.ts": text }), [])
  })
  it("does not bind behavior.ts, which acts", () => {
    assert.deepEqual(broken({ "src/actors/pod/behavior.ts": 'import { join } from "node:path"\nDate.now()' }), [])
  })
})

describe("the library", () => {
  it("sees events and itself, and is seen by nobody", () => {
    const sources = {
      "src/client/index.ts": 'export * from "./subscribe.ts"',
      "src/client/subscribe.ts": 'import { e } from "../events/e.ts"\nimport { port } from "../adapters/nats/port.ts"',
      "src/cli/events.ts": 'import { subscribe } from "../client/index.ts"',
      "src/adapters/nats/port.ts": "export const port = 1",
      "src/events/e.ts": "export const e = 1"
    }
    assert.deepEqual(broken(sources), [
      "src/cli/events.ts:1 client-is-for-others",
      "src/client/subscribe.ts:2 client-imports-events"
    ])
  })
})

describe("import cycles", () => {
  it("are found between files, also through types, once each", () => {
    const sources = {
      "src/actors/a/a.ts": 'import { b } from "./b.ts"',
      "src/actors/a/b.ts": 'import type { C } from "./c.ts"',
      "src/actors/a/c.ts": 'export { a } from "./a.ts"',
      "src/actors/a/d.ts": 'import { a } from "./a.ts"'
    }
    assert.deepEqual(broken(sources), ["src/actors/a/a.ts:1 no-cycles"])
    assert.match(
      check(sources)[0]!.message,
      /a\/a\.ts → src\/actors\/a\/b\.ts → src\/actors\/a\/c\.ts → src\/actors\/a\/a\.ts$/
    )
  })
  it("do not count what is loaded later", () => {
    const sources = {
      "src/actors/a/a.ts": 'export const b = () => import("./b.ts")',
      "src/actors/a/b.ts": 'import { b } from "./a.ts"'
    }
    assert.deepEqual(broken(sources), [])
  })
})

describe("the import scan", () => {
  const specifiers = (text: string) => importsOf(text).map((i) => i.specifier)
  it("finds every form of import", () => {
    const text = [
      'import a from "a"',
      'import a, { b } from "b"',
      'import * as c from "c"',
      'import a, * as c from "d"',
      'import type { T } from "e"',
      'import type from "f"',
      'import "g"',
      'export * from "h"',
      'export * as i from "i"',
      "export { j, type K } from 'j'",
      'export type { L } from "k"',
      'const l = await import("l")',
      'type M = import("m").M',
      'const n = require("n")',
      'new Worker(new URL("./o.ts", import.meta.url))',
      'import{p}from"p"',
      'import {\n  q\n} from "q"'
    ].join("\n")
    assert.deepEqual(specifiers(text), [..."abcdefghijklmn", "./o.ts", "p", "q"])
    assert.deepEqual(
      importsOf(text)
        .filter((i) => i.typeOnly)
        .map((i) => i.specifier),
      ["e", "k"]
    )
  })
  it("is not misled by comments, strings, templates and regular expressions", () => {
    const text = [
      '// import a from "a"',
      '/* import b from "b" */',
      `const c = 'import c from "c"'`,
      'const d = `import d from "d" ${`import("e")`} "`',
      'const f = /["\'`]/.test(x) ? 1 / 2 : "import f"',
      'const g = x.import("g"), h = $import("h")',
      'export const from = "i"',
      "const j = `${a}/${b}` / 2",
      'import k from "k"'
    ].join("\n")
    assert.deepEqual(specifiers(text), ["k"])
  })
  it("sees code inside a template's braces", () => {
    assert.deepEqual(specifiers('const a = `x ${await import("y")} z`'), ["y"])
  })
})
