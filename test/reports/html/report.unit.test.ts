/** The file of a report: nothing from the log is markup in it, and nothing but its own style and script may run. */
import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { describe, it } from "node:test"
import { inflateRawSync } from "node:zlib"
import { blockEvents } from "../../../src/reports/html/format.ts"
import { escapeHtml, HtmlReport } from "../../../src/reports/html/report.ts"
import { timelineOfGiven } from "../timeline/given.ts"

const hostile = `</script><script>alert(1)</script><img src=x onerror=alert(1)> " ' & \u202e`
const timeline = timelineOfGiven([{ event: { _tag: "PodRemoved", uid: hostile } }])

const write = async (lines: ReadonlyArray<string>, file = hostile): Promise<string> => {
  const report = new HtmlReport()
  for (const line of lines) await report.add(hostile, line)
  let text = ""
  for await (const piece of report.pieces(
    { ...timeline, node: hostile },
    { file, writtenBy: "chronode", remarks: [hostile] }
  ))
    text += piece
  return text
}
const partsNamed = (html: string, part: string): ReadonlyArray<string> =>
  [
    ...html.matchAll(
      new RegExp(`<script type="application/octet-stream" data-part="${part}">([A-Za-z0-9+/=]*)</script>`, "gu")
    )
  ].map(([, base64]) => inflateRawSync(Buffer.from(base64!, "base64")).toString())

describe("a report's file", () => {
  it("holds hostile text as data only", async () => {
    const html = await write([JSON.stringify({ data: hostile })])
    assert.ok(!html.includes(hostile))
    assert.ok(!html.includes("alert(1)</script>"))
    assert.ok(!html.includes("<img"))
    const scripts = [...html.matchAll(/<script(?: [^>]*)?>/gu)].map(([tag]) => tag)
    assert.equal(scripts.filter((tag) => tag === "<script>").length, 1, "one script that runs: our own")
    assert.equal(JSON.parse(partsNamed(html, "head")[0]!).node, hostile)
    assert.deepEqual(partsNamed(html, "sentences"), [hostile])
  })

  it("allows its own style and script by their hashes, and nothing else", async () => {
    const html = await write(["{}"])
    const policy = /Content-Security-Policy" content="([^"]+)"/u.exec(html)![1]!
    const hash = (tag: string) => {
      const text = html.slice(
        html.indexOf(`<${tag}>`) + tag.length + 2,
        html.indexOf(`</${tag}>`, html.indexOf(`<${tag}>`))
      )
      return `${tag}-src 'sha256-${createHash("sha256").update(text).digest("base64")}'`
    }
    assert.ok(policy.startsWith("default-src 'none'; "))
    assert.ok(policy.includes(hash("script")))
    assert.ok(policy.includes(hash("style")))
    assert.ok(!/unsafe|https?:|\*/u.test(policy))
  })

  it("names nothing that a browser would load", async () => {
    const html = await write(["{}"])
    const ours = html.slice(0, html.indexOf("<style>")) + html.slice(html.lastIndexOf("</script>"))
    assert.ok(!/\b(?:src|href)="(?!data:)/u.test(ours))
    assert.ok(!/url\(|@import/u.test(html.slice(html.indexOf("<style>"), html.indexOf("</style>"))))
  })

  it("keeps the stored lines, in blocks, in their order", async () => {
    const lines = Array.from({ length: blockEvents + 3 }, (_, n) => JSON.stringify({ n, text: "</script>" }))
    const blocks = partsNamed(await write(lines), "lines")
    assert.deepEqual(
      blocks.map((block) => block.split("\n").length),
      [blockEvents, 3]
    )
    assert.deepEqual(
      blocks.flatMap((block) => block.split("\n")),
      lines
    )
  })

  it("escapes what stands in its markup", () =>
    assert.equal(
      escapeHtml(`<a title='x' href="y">&</a>`),
      "&lt;a title=&#39;x&#39; href=&quot;y&quot;&gt;&amp;&lt;/a&gt;"
    ))
})
