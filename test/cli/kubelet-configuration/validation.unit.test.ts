import assert from "node:assert/strict"
import { describe } from "node:test"
import { decode } from "../../../src/cli/kubelet-configuration/codec.ts"
import { kubeletProblems } from "../../../src/cli/kubelet-configuration/validation.ts"
import { reservedMemoryProblems } from "../../../src/cli/kubelet-configuration/validation-reserved.ts"
import { itMeets } from "../../support/cases.ts"

const file = "kubelet-config.json"
/** The time of a taint has a fraction in upstream's message that its JSON does not have. */
const withoutFraction = (text: string): string => text.replace(/(?<=:\d\d)\.\d+ (\S+ \S+) m=\S+\}/u, " $1}")

describe("kubelet's validation", () => {
  itMeets(
    file,
    "TestValidateKubeletConfiguration",
    "finds the same, in its words and order",
    ({ in: row, want }, table) => {
      const problems = kubeletProblems(decode({ ...(table.base as object), ...row.set }))
      assert.deepEqual(
        problems.map(([, message]) => message),
        want.errors.map(withoutFraction)
      )
      return undefined
    }
  )
  itMeets(file, "TestValidateReservedMemoryConfiguration", "of reserved memory", ({ in: { reservedMemory }, want }) => {
    assert.equal(reservedMemoryProblems(reservedMemory ?? [])[0]?.[1] ?? null, want.error)
    return undefined
  })
})
