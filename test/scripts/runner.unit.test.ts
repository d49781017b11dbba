import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { describe, it } from "node:test"
import { addLcov } from "../../scripts/test/coverage.ts"
import { findTestFiles } from "../../scripts/test/files.ts"
import { lockfileFaults } from "../../scripts/test/lockfile.ts"
import { parseOptions } from "../../scripts/test/options.ts"
import { countCases, parseNotes, withNotes } from "../../scripts/test/report.ts"
import { commandFor, whyNotHere } from "../../scripts/test/runner.ts"
import { type Row, reasonLines, tableLines } from "../../scripts/test/table.ts"

describe("the options of npm test", () => {
  it("choose everything when nothing is said", () => {
    const { only, runtime, filter, rounds } = parseOptions([])
    assert.deepEqual(only, ["checks", "unit", "int", "e2e"])
    assert.deepEqual(runtime, ["bun", "deno", "vm"])
    assert.deepEqual([filter, rounds], ["", undefined])
  })
  it("choose parts, repeated or joined, in the run's own order", () => {
    assert.deepEqual(parseOptions(["--only", "e2e", "--only=unit,int"]).only, ["unit", "int", "e2e"])
  })
  it("leave the checks out of a filtered run", () => {
    assert.deepEqual(parseOptions(["--filter", "journal"]).only, ["unit", "int", "e2e"])
  })
  for (const wrong of [
    ["--only", "units"],
    ["--runtime", "node"],
    ["--rounds", "0"],
    ["--rounds", "x"],
    ["--fast"],
    ["word"]
  ]) {
    it(`refuse ${wrong.join(" ")}`, () => assert.throws(() => parseOptions(wrong)))
  }
})

describe("the place of a test file", () => {
  const file = (line: string, name = "a.int.test.ts", wanted = {}) => {
    const root = mkdtempSync(join(tmpdir(), "files-"))
    try {
      mkdirSync(join(root, "test"))
      writeFileSync(join(root, "test", name), `${line}\n`)
      return findTestFiles(root, wanted).files[0]!
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  }
  const first = (...args: Parameters<typeof file>) => file(...args).runtimes
  it("is both runtimes when it says nothing, and Bun for the program", () => {
    assert.deepEqual(first(""), ["bun", "deno"])
    assert.deepEqual(first("", "a.e2e.test.ts"), ["bun"])
  })
  it("is what it says; what stands in brackets only when it is asked for", () => {
    const line = "// runtimes: bun (deno) (vm)"
    assert.deepEqual(first(line), ["bun"])
    assert.deepEqual(first(line, undefined, { both: true }), ["bun", "deno"])
    assert.deepEqual(first(line, undefined, { vm: true }), ["bun", "vm"])
    assert.deepEqual(first("// runtimes: vm"), ["vm"])
  })
  it("is a network namespace of its own when it says so, and then only root's", () => {
    const own = file("// runtimes: bun\n// netns: own")
    assert.deepEqual([own.ownNetns, file("// runtimes: bun").ownNetns], [true, false])
    assert.equal(whyNotHere(own, 0), undefined)
    assert.match(whyNotHere(own, 1000)!, /needs root/)
    assert.equal(whyNotHere({ ...own, ownNetns: false }, 1000), undefined)
    const context = { root: process.cwd(), scratch: "/s", rounds: undefined, both: false, coverage: undefined }
    const { argv } = commandFor(own, "bun", context)
    assert.match(argv.slice(0, 3).join(" "), /^sh \/.*\/own-netns\.sh \/.*bun/)
  })
})

describe("counting what a runner reports", () => {
  const suite = (attributes: string, cases: string) =>
    `<testsuites><testsuite ${attributes}>${cases}</testsuite></testsuites>`
  it("counts Bun's tests", () => {
    const xml = suite(
      'name="a"',
      '<testcase name="x" time="0" /><testcase name="y"><skipped /></testcase><testcase name="z"><failure type="E" message="m">E</failure></testcase>'
    )
    assert.deepEqual(countCases(xml, "bun"), { passed: 1, failed: 1, skipped: 1 })
  })
  it("does not count Deno's suites beside their tests", () => {
    const xml = suite(
      'name="a"',
      '<testcase name="s"><failure message="1 test step failed">.</failure></testcase><testcase name="s &gt; x"></testcase><testcase name="s &gt; y"><failure message="m">E</failure></testcase>'
    )
    assert.deepEqual(countCases(xml, "deno"), { passed: 1, failed: 1, skipped: 0 })
  })
  it("counts a suite of Deno's that failed by itself", () => {
    const xml = suite(
      'name="a"',
      '<testcase name="s"><failure message="Uncaught Error: after">E</failure></testcase><testcase name="s &gt; x"></testcase>'
    )
    assert.deepEqual(countCases(xml, "deno"), { passed: 1, failed: 1, skipped: 0 })
  })
  it("evens out how the runtimes report skips", () => {
    const notes = parseNotes(
      '{"kind":"skip","by":"suite","name":"s","reason":"r"}\n{"kind":"skip","by":"call","name":"x","reason":"q"}\n'
    )
    assert.deepEqual(withNotes({ passed: 1, failed: 0, skipped: 1 }, notes, "bun"), {
      passed: 1,
      failed: 0,
      skipped: 2
    })
    assert.deepEqual(withNotes({ passed: 2, failed: 0, skipped: 1 }, notes, "deno"), {
      passed: 1,
      failed: 0,
      skipped: 2
    })
  })
})

describe("the table at the end", () => {
  const row = (skipped: number, reasons: ReadonlyArray<string>): Row => ({
    ...{ stage: "int", runtime: "bun", files: 2, milliseconds: 1500, passed: 10, failed: 1 },
    ...{ skipped, reasons }
  })
  it("adds up", () => assert.match(tableLines([row(1, []), row(2, [])]).at(-1)!, /^total\s+4\s+20\s+2\s+3\s+3\.0 s$/))
  it("counts the reasons of skips, and those without one", () => {
    assert.deepEqual(reasonLines([row(3, ["needs root", "needs root"])]), [
      "      2  needs root",
      "      1  no reason given"
    ])
  })
})

describe("coverage", () => {
  it("adds up the reports of several processes", () => {
    const hits = addLcov([
      "SF:a.ts\nDA:1,1\nDA:2,0\nend_of_record\n",
      "SF:a.ts\nDA:2,3\nend_of_record\nSF:b.ts\nDA:1,0\n"
    ])
    assert.deepEqual(
      [...hits.get("a.ts")!],
      [
        [1, 1],
        [2, 3]
      ]
    )
    assert.deepEqual([...hits.get("b.ts")!], [[1, 0]])
  })
})

describe("the lockfile's check", () => {
  const manifest = { dependencies: { a: "1.0.0" } }
  const whole = {
    "": manifest,
    "node_modules/a": { version: "1.0.0", optionalDependencies: { b: "2.0.0" }, dependencies: { c: "^1.0.0" } },
    "node_modules/b": { version: "2.0.0" },
    "node_modules/a/node_modules/c": { version: "1.1.0" }
  }
  it("accepts a whole lockfile", () => assert.deepEqual(lockfileFaults(manifest, { packages: whole }), []))
  it("finds an entry that is missing, also for another platform", () => {
    const { "node_modules/b": _, ...packages } = whole
    assert.deepEqual(lockfileFaults(manifest, { packages }), ["b@2.0.0, wanted by node_modules/a, has no entry"])
  })
  it("finds a version that package.json no longer asks for", () => {
    assert.equal(lockfileFaults({ dependencies: { a: "1.0.1" } }, { packages: whole }).length, 1)
  })
  it("does not take a package that is nested elsewhere for one in reach", () => {
    const packages = { ...whole, "node_modules/b": { version: "2.0.0", dependencies: { c: "^1.0.0" } } }
    assert.deepEqual(lockfileFaults(manifest, { packages }), ["c@^1.0.0, wanted by node_modules/b, has no entry"])
  })
})
