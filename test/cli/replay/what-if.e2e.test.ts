/** `chronode replay FILE --with FILE.yaml` as a user runs it, on a golden log. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { chronode, runtimes } from "../program.ts"

const slow = { timeout: 60_000 }
const golden = (name: string) => fileURLToPath(new URL(`../../golden/0.1.0/${name}.ndjson`, import.meta.url))
const directory = mkdtempSync(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "t-"))
after(() => rmSync(directory, { recursive: true, force: true }))
const file = (name: string, text: string): string => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

const bearsMore = file(
  "bears-more.yaml",
  "kind: Pod\nmetadata: { name: web }\nspec:\n  containers:\n  - name: app\n    livenessProbe: { failureThreshold: 5 }\n"
)
const shortBackOff = file(
  "short-back-off.yaml",
  "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\ncrashLoopBackOff: { maxContainerRestartPeriod: 12s }\n"
)

for (const runtime of runtimes) {
  describe(`what if, on ${runtime}`, () => {
    it("the liveness probe had borne more failures?", slow, async () => {
      const { code, out, err } = await chronode(runtime, ["replay", golden("liveness-kill"), "--with", bearsMore])
      assert.deepEqual({ code, err }, { code: 0, err: "" })
      assert.match(out, /spec\.containers\[app\]\.livenessProbe\.failureThreshold: 3 → 5\n/u)
      assert.match(out, /The courses part at .* \(sequence 28, probe\/default\/web\.app\.liveness, ProbeObserved\)/u)
      assert.match(out, /as it was +│ as it would have been\n/u)
      assert.match(out, /The liveness kill of app at \S+ would have happened at \S+, 4s later\.\n/u)
      assert.match(out, /Taken for granted:\n {2}unrecorded-inputs: /u)
      assert.match(out, /\n {2}answers-repeat \(liveness of app\): /u)
    })
  })
}

describe("what if", () => {
  it("the longest back-off had been shorter, as JSON", slow, async () => {
    const log = golden("crash-loop-over-agent-restarts")
    const { code, out } = await chronode("bun", ["replay", log, "--with", shortBackOff, "-o", "json"])
    assert.equal(code, 0)
    const { recording, pods } = JSON.parse(out)
    assert.equal(recording, "events")
    assert.equal(pods.length, 1)
    const [{ pod, parted, exact, differences, answers, told, assumptions, instead }] = pods
    assert.equal(pod, "default/web")
    assert.equal(parted.sequence, 46)
    assert.equal(exact, false)
    assert.deepEqual(differences, [{ field: "crashLoopBackOff.maxContainerRestartPeriod", from: "300s", to: "12s" }])
    assert.deepEqual([answers[0].recorded.restarts, answers[0].instead.restarts], [4, 6])
    assert.match(told.join("\n"), /app would have been restarted 6 times instead of 4 times\./u)
    assert.ok(assumptions.some(({ name }: { readonly name: string }) => name === "agent-runs-on"))
    const delays = instead
      .map(({ event }: { readonly event: { readonly _tag: string; readonly delaySeconds?: number } }) => event)
      .filter(({ _tag }: { readonly _tag: string }) => _tag === "ContainerBackOffStarted")
      .map(({ delaySeconds }: { readonly delaySeconds: number }) => delaySeconds)
    assert.deepEqual(delays, [12, 12, 12, 12, 12].slice(0, delays.length))
    assert.ok(delays.length >= 4)
  })

  it("names that the log does not know: each is told with its place, and nothing is taken again", slow, async () => {
    const wrong = file(
      "wrong.yaml",
      "kind: Pod\nmetadata: { name: wev }\n---\nkind: Pod\nmetadata: { name: web }\nspec: { containers: [{ name: ap, livenessProbe: null }] }\n"
    )
    const { code, out, err } = await chronode("bun", ["replay", golden("liveness-kill"), "--with", wrong])
    assert.deepEqual({ code, out }, { code: 1, out: "" })
    assert.match(
      err,
      /wrong\.yaml:2:19: metadata\.name: default\/wev: no pod of this name is in .*; did you mean web\?/u
    )
    assert.match(
      err,
      /wrong\.yaml:6:30: spec\.containers\[0\]\.name: default\/web has no container 'ap'; did you mean app\?/u
    )
  })

  it("together with --verify is wrong usage; a file that is not there is told", slow, async () => {
    const both = await chronode("bun", ["replay", golden("liveness-kill"), "--with", bearsMore, "--verify"])
    assert.equal(both.code, 2)
    assert.match(both.err, /--verify and --with do not go together/u)
    const pod = await chronode("bun", ["replay", golden("liveness-kill"), "--with", bearsMore, "--pod", "default/web"])
    assert.equal(pod.code, 2)
    assert.match(pod.err, /the what-if file says of which pods/u)
    const missing = await chronode("bun", ["replay", golden("liveness-kill"), "--with", join(directory, "none.yaml")])
    assert.equal(missing.code, 1)
    assert.match(missing.err, /cannot read the what-if file: .*none\.yaml/u)
  })
})
