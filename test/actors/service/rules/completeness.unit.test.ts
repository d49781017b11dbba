/** Every table of the files that judge Services is either judged by a test of this folder or named here, with the reason. */
import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { readCase, type Table } from "../../../support/cases.ts"

const files = [
  "proxy-topology.json",
  "proxy-services.json",
  "proxy-endpoints.json",
  "proxy-util.json",
  "conntrack.json"
]

const elsewhere: Readonly<Record<string, string>> = {
  TestLastChangeTriggerTime:
    "an annotation of the EndpointSlice controller: here the time of the event that asked for a change is known",
  TestEsDataChanged:
    "a slice is compared by the hash of its declaration, and no change comes of it unless an endpoint is another one",
  TestFlowFilter: "flows are removed one by one as the kernel told them, not by a filter over all",
  TestFlowFilter_Exhaustive: "flows are removed one by one as the kernel told them, not by a filter over all",
  TestGetConntrackMax: "limits of the table of connections are set where the proxy is configured",
  TestSetupConntrack: "limits of the table of connections are set where the proxy is configured",
  TestAppendPortIfNeeded: "addresses that the proxy listens on are read where it is configured",
  TestDetectLocalByCIDR: "how each dataplane tells traffic of pods is its own; packets judge it",
  TestDetectLocalByBridgeInterface: "how each dataplane tells traffic of pods is its own; packets judge it",
  TestDetectLocalNFTByBridgeInterface: "how each dataplane tells traffic of pods is its own; packets judge it",
  TestDetectLocalByInterfaceNamePrefix: "how each dataplane tells traffic of pods is its own; packets judge it",
  TestDetectLocalNFTByInterfaceNamePrefix: "how each dataplane tells traffic of pods is its own; packets judge it"
}

describe("the upstream tables about Services", () => {
  it("are all judged, or left out by name", () => {
    const folder = new URL("./", import.meta.url)
    const own = new URL(import.meta.url).pathname.split("/").at(-1)
    const judging = readdirSync(folder)
      .filter((name) => name.endsWith(".test.ts") && name !== own)
      .map((name) => readFileSync(new URL(name, folder), "utf8"))
      .join("\n")
    const forgotten: Array<string> = []
    for (const file of files) {
      const content = readCase(file)
      for (const { origin, rows } of (content.tables ?? [content]) as ReadonlyArray<Table>) {
        if (judging.includes(`"${origin.test}"`)) continue
        const reason = elsewhere[origin.test]
        if (reason === undefined) forgotten.push(`${file} ${origin.test}`)
        else console.log(`cases: left out: ${origin.test}, ${rows.length} rows: ${reason}`)
      }
    }
    assert.deepEqual(forgotten, [])
  })
})
