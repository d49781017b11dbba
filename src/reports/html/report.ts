/**
 * A report as one HTML file that needs nothing else: style, script and data are inside, and its content security policy
 * forbids everything but these. Text from the log never becomes markup: it is compressed data here, and text nodes there.
 */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import type { Timeline } from "../timeline/model.ts"
import { blockEvents, dataType, parts } from "./format.ts"
import { compressed, LineBlocks } from "./line-blocks.ts"
import { packTimeline, type ReportFacts } from "./pack.ts"

/** Made of src/reports/viewer by scripts/generate-viewer.ts. */
const asset = (name: string): string => readFileSync(new URL(`./generated/${name}`, import.meta.url), "utf8")
const policyHash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/gu, (c) => entities[c] as string)

const dataElement = (part: string, base64: string): string =>
  `<script type="${dataType}" data-part="${part}">${base64}</script>\n`

/** Gathers the events; `pieces` then gives the file. Stored lines are compressed as they come. */
export class HtmlReport {
  private readonly sentences: Array<string> = []
  private readonly lines = new LineBlocks(blockEvents)

  /** @param sentence tells the event, on one line; @param line the event as stored. Wait for what it answers. */
  add(sentence: string, line: string): Promise<unknown> | undefined {
    this.sentences.push(sentence)
    return this.lines.add(line)
  }

  async *pieces(timeline: Timeline, facts: ReportFacts): AsyncGenerator<string, void, undefined> {
    this.lines.flush()
    const { bytes, head } = packTimeline(timeline, facts)
    const [style, script] = [asset("viewer.css"), asset("viewer.js")]
    const policy = `default-src 'none'; script-src ${policyHash(script)}; style-src ${policyHash(style)}; img-src data:; base-uri 'none'; form-action 'none'`
    yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(`${timeline.node === "" ? facts.file : timeline.node} – Chronode incident`)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<noscript><p>This report draws its timeline with a script that is inside this file. Allow scripts for it; it loads nothing.</p></noscript>
<div id="app"><p class="loading">${escapeHtml(timeline.node)}: reading ${timeline.totals.events} events …</p></div>
`
    yield dataElement(parts.head, await compressed(JSON.stringify(head)))
    yield dataElement(parts.columns, await compressed(bytes))
    yield dataElement(parts.sentences, await compressed(this.sentences.join("\n")))
    yield `<script>${script}</script>\n`
    for (const block of this.lines.blocks) yield dataElement(parts.lines, await block)
    yield "</body>\n</html>\n"
  }
}
