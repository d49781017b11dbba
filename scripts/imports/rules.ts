/**
 * The direction rules of docs/architecture.md over a set of files: pure, so that each rule is proved on small fixtures.
 * Type-only imports obey the directions too: they are knowledge, even if nothing is loaded.
 */
import { posix } from "node:path"
import { cyclesOf } from "./cycles.ts"
import { isBrowser, isGenerated, isPure, placeOf, runtimeFile, wrongDirection } from "./rooms.ts"
import { blank, type Import, importsOf, lineAt } from "./scan.ts"

export interface Violation {
  readonly file: string
  readonly line: number
  readonly rule: string
  readonly message: string
  /** What to do about it. */
  readonly remedy: string
}

interface Source {
  readonly path: string
  readonly text: string
  /** Without comments and contents of strings. */
  readonly blanked: string
  readonly imports: ReadonlyArray<Import & { readonly target: string | undefined }>
}

/** Node's modules that may be named without `node:`, as far as a source file is likely to. */
const bareBuiltins =
  /^(?:assert|async_hooks|buffer|child_process|cluster|crypto|dgram|diagnostics_channel|dns|events|fs|http|http2|https|module|net|os|path|perf_hooks|process|readline|stream|timers|tls|tty|url|util|v8|vm|worker_threads|zlib)(?:\/|$)/
const isRuntimeApi = (specifier: string): boolean =>
  /^(?:node|bun|deno|jsr|npm|https?):/.test(specifier) || specifier === "bun" || bareBuiltins.test(specifier)
const isBunOrDeno = (specifier: string): boolean => specifier === "bun" || /^(?:bun|deno|jsr):/.test(specifier)
const isTestModule = (specifier: string): boolean => /^(?:node|bun):test(?:\/|$)/.test(specifier)

const runtimeNames =
  /(?<![.\w$])(?:globalThis\s*\.\s*)?(?:Bun|Deno)(?![\w$])|(?<![.\w$])process\s*\.\s*versions\s*\.\s*(?:bun|deno)\b/g
/** Clock, randomness and I/O that need no import. `new Date(x)` is arithmetic; `new Date()` reads the clock. */
const impureGlobals =
  /(?<![.\w$])(?:Date\s*\.\s*now|Math\s*\.\s*random|new\s+Date\s*(?:\(\s*\)|(?![\w$\s(]))|(?:crypto|process|performance|console|Buffer|globalThis)\s*(?=\.)|(?:setTimeout|setInterval|setImmediate|queueMicrotask|fetch)\s*(?=\())/g

const resolve = (from: string, specifier: string): string | undefined =>
  specifier.startsWith(".") ? posix.normalize(posix.join(posix.dirname(from), specifier)) : undefined

/** Everything that is wrong in `files` (path from the root, with `/` → text), by file and line. Only `src/` is judged. */
export const findViolations = (files: ReadonlyMap<string, string>): ReadonlyArray<Violation> => {
  const sources = new Map<string, Source>()
  for (const [path, text] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!path.startsWith("src/")) continue
    const blanked = blank(text)
    const imports = importsOf(text, blanked).map((i) => ({ ...i, target: resolve(path, i.specifier) }))
    sources.set(path, { path, text, blanked, imports })
  }
  const found = [...sources.values()].flatMap((source) => [
    ...roomOf(source),
    ...directions(source),
    ...outside(source),
    ...runtimes(source),
    ...(isPure(source.path) ? purity(source, sources) : []),
    ...browser(source, sources)
  ])
  return [...found, ...cycles(sources)].sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
}

const roomOf = ({ path }: Source): ReadonlyArray<Violation> =>
  placeOf(path).room !== "none"
    ? []
    : [
        {
          file: path,
          line: 1,
          rule: "known-room",
          message: "this file is in no room",
          remedy:
            "put it into src/cli, src/events, src/reports, src/client, src/actors/<kind> or src/adapters/<neighbour>"
        }
      ]

const directions = ({ path, imports }: Source): ReadonlyArray<Violation> =>
  imports.flatMap(({ target, line }) => {
    if (target === undefined || !target.startsWith("src/")) return []
    const wrong = wrongDirection(placeOf(path), placeOf(target), target)
    if (wrong !== undefined) return [{ file: path, line, message: `must not import ${target}`, ...wrong }]
    const owner = target.slice(0, target.indexOf("/generated/") + 1)
    if (isGenerated(target) && (placeOf(target).room !== "adapters" || !path.startsWith(owner))) {
      const remedy = `import the adapter's own words (${owner}port.ts), not the code generated for it`
      return [{ file: path, line, rule: "generated-is-private", message: `must not import ${target}`, remedy }]
    }
    return []
  })

const outside = ({ path, imports }: Source): ReadonlyArray<Violation> =>
  imports.flatMap(({ specifier, target, line }) => {
    const isTest = isTestModule(specifier) || /\.(?:unit|int|e2e)\.test\.ts$/.test(target ?? "")
    if (isTest || (target !== undefined && /^(?:test|bench|scripts)\//.test(target))) {
      const remedy = "move what both need into src; tests import the source, never the other way"
      return [{ file: path, line, rule: "no-tests-in-src", message: `must not import ${target ?? specifier}`, remedy }]
    }
    if (target === undefined || target.startsWith("src/")) return []
    if (target === "package.json" && ["wiring", "cli"].includes(placeOf(path).room)) return []
    const remedy = "keep it below src (package.json is for src/main.ts, src/agent and src/cli)"
    return [{ file: path, line, rule: "inside-src", message: `${target} is outside src`, remedy }]
  })

const runtimes = ({ path, text, blanked, imports }: Source): ReadonlyArray<Violation> => {
  if (path === runtimeFile) return []
  const remedy = `use a node: API that both runtimes have, or ask ${runtimeFile}, the one file that may differ by runtime`
  const rule = "one-runtime-file"
  return [
    ...imports
      .filter(({ specifier }) => isBunOrDeno(specifier) && !isTestModule(specifier))
      .map(({ specifier, line }) => ({ file: path, line, rule, message: `must not import ${specifier}`, remedy })),
    ...[...blanked.matchAll(runtimeNames)].map((match) => ({
      file: path,
      line: lineAt(text, match.index),
      rule,
      message: `must not use ${match[0].replaceAll(/\s/g, "")}`,
      remedy
    }))
  ]
}

const purity = (source: Source, sources: ReadonlyMap<string, Source>): ReadonlyArray<Violation> => {
  const { path: file, text, blanked, imports } = source
  const remedy = "let time, jitter, ids and what the world says arrive in the command; put I/O behind a port"
  return [
    ...imports
      .filter(({ specifier }) => isRuntimeApi(specifier))
      .map(({ specifier, line }) => ({
        file,
        line,
        rule: "pure-imports",
        message: `this file is pure: must not import ${specifier}`,
        remedy
      })),
    ...[...blanked.matchAll(impureGlobals)].map((match) => ({
      file,
      line: lineAt(text, match.index),
      rule: "pure-globals",
      message: `this file is pure: must not use ${match[0].trim().replaceAll(/\s+/g, " ")}`,
      remedy
    })),
    ...imports.flatMap(({ target, line, typeOnly }) => {
      if (target === undefined || typeOnly || isPure(target)) return []
      const chain = wayToRuntimeApi(target, sources, new Set([file]))
      if (chain === undefined) return []
      const message = `this file is pure, but loads ${chain.join(" → ")}`
      return [
        {
          file,
          line,
          rule: "pure-reaches",
          message,
          remedy: "split the pure part of that file off, or import its types only"
        }
      ]
    })
  ]
}

/** What runs in a browser loads no Node API, and what runs here loads nothing of a browser's. */
const browser = ({ imports, path: file }: Source, sources: ReadonlyMap<string, Source>): ReadonlyArray<Violation> =>
  imports.flatMap(({ line, specifier, target, typeOnly }) => {
    const rule = "browser-is-apart"
    if (isBrowser(file)) {
      const chain = isRuntimeApi(specifier)
        ? [specifier]
        : target === undefined || typeOnly
          ? undefined
          : wayToRuntimeApi(target, sources, new Set([file]))
      if (chain === undefined) return []
      const remedy = "it runs in a browser: keep what needs Node in src/reports/html"
      return [{ file, line, rule, message: `must not load ${chain.join(" → ")}`, remedy }]
    }
    if (target === undefined || !isBrowser(target)) return []
    const remedy = "share a pure file of src/reports/html or src/reports/timeline instead"
    return [{ file, line, rule, message: `must not import ${target}`, remedy }]
  })

/** The files that lead to an import of a runtime's API, and that import; undefined when there is none. */
const wayToRuntimeApi = (
  path: string,
  sources: ReadonlyMap<string, Source>,
  seen: Set<string>
): ReadonlyArray<string> | undefined => {
  const source = sources.get(path)
  if (source === undefined || seen.has(path)) return undefined
  seen.add(path)
  const loaded = source.imports.filter((i) => !i.typeOnly)
  const api = loaded.find((i) => isRuntimeApi(i.specifier))
  if (api !== undefined) return [path, api.specifier]
  for (const { target } of loaded) {
    const rest = target === undefined ? undefined : wayToRuntimeApi(target, sources, seen)
    if (rest !== undefined) return [path, ...rest]
  }
  return undefined
}

const cycles = (sources: ReadonlyMap<string, Source>): ReadonlyArray<Violation> => {
  const edges = new Map<string, ReadonlyArray<string>>()
  for (const { path, imports } of sources.values()) {
    const targets = imports.filter((i) => i.form === "static").flatMap(({ target }) => target ?? [])
    edges.set(
      path,
      targets.filter((target) => sources.has(target))
    )
  }
  return cyclesOf(edges).map((cycle) => ({
    file: cycle[0]!,
    line: sources.get(cycle[0]!)!.imports.find((i) => i.target === cycle[1])?.line ?? 1,
    rule: "no-cycles",
    message: `import cycle ${cycle.join(" → ")}`,
    remedy: "move what both need into a third file"
  }))
}
