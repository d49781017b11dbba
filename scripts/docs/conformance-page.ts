/**
 * The text of docs/conformance.md: each node conformance test of Kubernetes (test/cases/node-conformance.json) with the tests of
 * ours that check the same. A test says so itself: by its place among the cases of test/e2e/conformance, or by a comment
 * `// conformance: NAME` above its `it(`. What no test covers has to stand in conformance-open.ts with the reason.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { groups } from "../../test/e2e/conformance/groups.ts"
import { open } from "./conformance-open.ts"

interface Area {
  readonly area: string
  readonly file: string
  /** Upstream's names with their tags. */
  readonly tests: ReadonlyArray<string>
}
interface Cover {
  readonly file: string
  readonly title: string
}

/** `[sig-node] Pods should be updated [NodeConformance] [Conformance]` → `Pods should be updated` */
export const plainName = (codename: string): string =>
  codename
    .replaceAll(/\[[^\]]*\]/gu, " ")
    .replaceAll(/\s+/gu, " ")
    .trim()

/** Its texts are no claims. */
const ownTest = "scripts/conformance-page.unit.test.ts"
const tag = /^\s*\/\/ conformance: (.+)$/u
const comment = /^\s*(?:\/\/|\/?\*)/u

/** The names that comments of a test file claim, with the title of the test that follows. Throws where none follows. */
export const claims = (text: string): ReadonlyArray<{ readonly name: string; readonly title: string }> => {
  const lines = text.split("\n")
  return lines.flatMap((line, index) => {
    const name = tag.exec(line)?.[1]?.trim()
    if (name === undefined) return []
    const rest = lines.slice(index + 1)
    const next = rest.findIndex((following) => !comment.test(following))
    const title = /^\s*(?:it|test)\(\s*(["'`])([\s\S]*?)\1/u.exec(rest.slice(next, next + 3).join("\n"))?.[2]
    if (title === undefined) throw new Error(`line ${index + 1}: no test follows "conformance: ${name}"`)
    return [{ name, title }]
  })
}

const claimed = (root: string): ReadonlyMap<string, ReadonlyArray<Cover>> => {
  const found = new Map<string, Array<Cover>>()
  const add = (name: string, cover: Cover) => found.set(name, [...(found.get(name) ?? []), cover])
  for (const { cases } of groups)
    for (const { conformance } of cases)
      add(conformance, { file: "test/e2e/conformance.e2e.test.ts", title: conformance })
  for (const name of readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" }).sort()) {
    if (!/\.(?:unit|int|e2e)\.test\.ts$/u.test(name) || name === ownTest) continue
    const file = `test/${name}`
    for (const { name: covered, title } of claims(readFileSync(join(root, file), "utf8"))) add(covered, { file, title })
  }
  return found
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("*", "\\*")

const head = `# Node conformance

What Kubernetes checks of every node: the tests of its conformance suite that carry \`[NodeConformance]\` (version 1.36, names
from \`test/conformance/testdata/conformance.yaml\`). Each line names the tests of this project that check the same on a real
containerd, or says why there is none. This page is generated from the tests (\`npm run generate\`); do not edit it.

`

/** Answers the page, or throws with everything that is wrong. */
export const conformancePage = (root: string): string => {
  const { areas } = JSON.parse(readFileSync(join(root, "test/cases/node-conformance.json"), "utf8")) as {
    readonly areas: ReadonlyArray<Area>
  }
  const covers = claimed(root)
  const names = areas.flatMap(({ tests }) => tests.map(plainName))
  const faults = [
    ...[...covers.keys()]
      .filter((name) => !names.includes(name))
      .map((name) => `no conformance test is named: ${name}`),
    ...[...open.keys()]
      .filter((name) => !names.includes(name))
      .map((name) => `conformance-open.ts names no conformance test: ${name}`),
    ...[...open.keys()].filter((name) => covers.has(name)).map((name) => `conformance-open.ts: a test covers: ${name}`),
    ...names
      .filter((name) => !covers.has(name) && !open.has(name))
      .map((name) => `no test covers it, and conformance-open.ts gives no reason: ${name}`)
  ]
  if (faults.length > 0) throw new Error(faults.join("\n"))
  const line = (codename: string) => {
    const name = plainName(codename)
    const tests = (covers.get(name) ?? []).map(({ file, title }) =>
      title === name
        ? `[${file.split("/").at(-1)}](../${file})`
        : `[${file.split("/").at(-1)}](../${file}): ${cell(title)}`
    )
    return `| ${cell(name)} | ${tests.length === 0 ? `not yet: ${cell(open.get(name) ?? "")}` : tests.join("<br>")} |`
  }
  const summary = areas.map(({ area, tests }) => {
    const done = tests.filter((test) => covers.has(plainName(test))).length
    return `| [${area}](#${area
      .toLowerCase()
      .replaceAll(/[^a-z0-9 -]/gu, "")
      .replaceAll(" ", "-")}) | ${tests.length} | ${done} |`
  })
  const covered = names.filter((name) => covers.has(name)).length
  return [
    head,
    `**${covered} of ${names.length}** are covered.\n\n`,
    `| area | tests | covered |\n|---|---|---|\n${summary.join("\n")}\n`,
    ...areas.map(
      ({ area, file, tests }) =>
        `\n## ${area}\n\n\`${file}\`\n\n| Kubernetes | here |\n|---|---|\n${tests.map(line).join("\n")}\n`
    )
  ].join("")
}
