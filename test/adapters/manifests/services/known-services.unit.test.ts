import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { ReadFile } from "../../../../src/adapters/manifests/directory.ts"
import { KnownServices } from "../../../../src/adapters/manifests/services/known-services.ts"
import { type ParsedServices, parseServices } from "../../../../src/adapters/manifests/services/read-file.ts"
import { seededRandom } from "../../../support/random.ts"
import { serviceText, sliceText } from "./services-contract.ts"

const names = ["a", "b", "c", "d", "e", "f"]
const files = ["1.yaml", "2.yaml", "3.yaml", "4.yaml"]

describe("what is known of a directory of Services", () => {
  it("is the same whether it was learnt change by change or at once", async () => {
    const { seed, int, chance, pick } = seededRandom("known Services")
    const known = new KnownServices()
    const now = new Map<string, ReadFile<ParsedServices>>()
    for (let step = 0; step < 400; step++) {
      const file = pick(files)
      // A name may stand in several files, which is a problem of all but the first.
      const own = names.filter(() => chance(0.25))
      const text = own
        .flatMap((name) => [serviceText(name, `10.96.0.${int(1, 9)}`), sliceText(name, `10.0.0.${int(1, 9)}`)])
        .join("---\n")
      if (chance(0.2)) now.delete(file)
      else now.set(file, { file, hash: `${step}`, parsed: await parseServices(text, file) })
      const sorted = [...now.values()].sort((x, y) => (x.file < y.file ? -1 : 1))
      const [got, wanted] = [known.take(sorted), new KnownServices().take(sorted)]
      const where = `seed ${seed}, step ${step}`
      assert.deepEqual(got.files, wanted.files, where)
      assert.deepEqual(new Set(got.services), new Set(wanted.services), where)
      assert.deepEqual(new Set(got.slices), new Set(wanted.slices), where)
    }
  })

  it("lets what stays keep its place, so that who compares finds one difference", async () => {
    const known = new KnownServices()
    const read = async (file: string, text: string) => ({ file, hash: text, parsed: await parseServices(text, file) })
    const [one, two] = [await read("1", serviceText("a")), await read("2", serviceText("b"))]
    const before = known.take([one, two]).services
    assert.equal(known.take([one, two]).services, before)
    const after = known.take([await read("1", serviceText("a", "10.96.0.7")), two]).services
    assert.deepEqual(
      after.map((service, i) => [service.name, service === before[i]]),
      [
        ["a", false],
        ["b", true]
      ]
    )
  })
})
