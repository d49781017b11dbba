import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Result } from "effect"
import {
  defaultIdRange,
  freeBlock,
  idRangeProblem,
  idsUnit,
  userNamespaceOf
} from "../../../../src/actors/pod/security/user-namespace.ts"
import { emptyPod, type PodState } from "../../../../src/actors/pod/state.ts"
import { IdBlocks } from "../../../../src/actors/source/id-blocks.ts"
import { parseSubordinateIds } from "../../../../src/adapters/host/subordinate-ids.ts"
import { actorId } from "../../../../src/events/actor-id.ts"
import type { Pod } from "../../../../src/events/pod-spec.ts"
import { itMeets } from "../../../support/cases.ts"

describe("ids that the host sets aside", () => {
  itMeets("mounts.json", "TestParseGetSubIdsOutput", "are one range of 32 bits", (row) => {
    if (row.want.wantErr) assert.throws(() => parseSubordinateIds(row.in.input))
    else {
      const { first, length } = parseSubordinateIds(row.in.input)
      assert.deepEqual([first, length], [row.want.wantFirstID, row.want.wantRangeLen])
    }
    return undefined
  })

  it("must be whole blocks, enough for all pods, and none of the host's own", () => {
    const range = { first: idsUnit, length: 110 * idsUnit, idsPerPod: idsUnit }
    assert.equal(idRangeProblem(range, 110), undefined)
    assert.equal(idRangeProblem(defaultIdRange(), 110), undefined)
    assert.equal(idRangeProblem(defaultIdRange(16 * idsUnit), 110), undefined)
    for (const [wrong, words] of [
      [{ idsPerPod: 1000 }, /length 1000 is not a multiple/],
      [{ first: idsUnit + 1 }, /not a multiple/],
      [{ first: 0 }, /greater or equal/],
      [{ length: 110 * idsUnit + 1 }, /not a multiple/],
      [{ length: 109 * idsUnit }, /not enough to support 110 pods/],
      [{ length: 2 ** 32 }, /32 bits/]
    ] as const) {
      assert.match(idRangeProblem({ ...range, ...wrong }, 110) ?? "", words)
    }
  })

  it("are given from the lowest free block on", () => {
    const range = { first: idsUnit, length: 3 * idsUnit, idsPerPod: idsUnit }
    const block = (n: number) => ({ hostId: n * idsUnit, length: idsUnit })
    assert.deepEqual(freeBlock(range, []), block(1))
    assert.deepEqual(freeBlock(range, [block(1), block(3)]), block(2))
    assert.equal(freeBlock(range, [block(1), block(2), block(3)]), undefined)
    // Of a pod from before the configuration changed.
    assert.deepEqual(freeBlock(range, [{ hostId: 0, length: 2 * idsUnit }]), block(2))
    assert.deepEqual(freeBlock({ ...range, idsPerPod: 3 * idsUnit }, [block(9)]), {
      hostId: idsUnit,
      length: 3 * idsUnit
    })
  })
})

describe("a pod's user namespace", () => {
  const handler = { name: "", recursiveReadOnlyMounts: true, userNamespaces: true }
  const ids = { hostId: idsUnit, length: idsUnit }

  it("is refused where the handler has none, in kubelet's words", () => {
    const problem = (handlers: ReadonlyArray<typeof handler>, name: string, given?: typeof ids) => {
      const result = userNamespaceOf({ hostUsers: false }, handlers, name, given)
      return Result.isFailure(result) ? result.failure : undefined
    }
    assert.equal(
      problem([{ ...handler, userNamespaces: false }], "", ids),
      "can't set `spec.hostUsers: false`, runtime does not support user namespaces"
    )
    assert.equal(
      problem([handler], "kata", ids),
      'can\'t set `spec.hostUsers: false`, RuntimeClass handler "kata" does not support user namespaces: RuntimeClass handler "kata" not found'
    )
    assert.match(problem([handler], "") ?? "", /could not find an empty slot/)
    assert.equal(problem([handler], "", ids), undefined)
  })

  it("is not there unless it is asked for", () => {
    for (const spec of [{}, { hostUsers: true }])
      assert.deepEqual(userNamespaceOf(spec, [], "", ids), Result.succeed(undefined))
  })
})

describe("ids of pods that come at once", () => {
  const range = { first: idsUnit, length: 3 * idsUnit, idsPerPod: idsUnit }
  const pod = (name: string, hostUsers = false, uid = `uid-${name}`): Pod => ({
    metadata: { name, namespace: "default", uid },
    spec: { containers: [], hostUsers }
  })
  const inState = (p: Pod, change: Partial<PodState>) => {
    const { namespace, name } = p.metadata
    return { id: actorId("pod", namespace, name), state: { ...emptyPod(`${namespace}/${name}`), ...change } }
  }
  const admitted = (p: Pod, hostId: number) =>
    inState(p, {
      definition: {
        ...{ pod: p, source: "f", qosClass: "BestEffort", maxRestartPeriodSeconds: 300, because: "e1" },
        userNamespace: { hostId, length: idsUnit }
      }
    })
  const first = (given: { readonly hostId: number } | undefined) => given?.hostId

  it("differ, before any of them has decided", () => {
    const blocks = new IdBlocks(range)
    assert.equal(first(blocks.blockFor(pod("a"), [])), idsUnit)
    assert.equal(first(blocks.blockFor(pod("b"), [])), 2 * idsUnit)
    assert.equal(blocks.blockFor(pod("c", true), []), undefined)
    assert.equal(first(blocks.blockFor(pod("a"), [])), idsUnit, "asked for again it keeps what it was given")
  })

  it("are kept as long as the pod's state has them, also by an agent that has just begun", () => {
    const blocks = new IdBlocks(range)
    const known = [admitted(pod("a"), 2 * idsUnit)]
    assert.equal(first(blocks.blockFor(pod("a"), known)), 2 * idsUnit)
    assert.equal(
      first(blocks.blockFor(pod("a", false, "other"), known)),
      2 * idsUnit,
      "its replacement takes them over"
    )
    assert.equal(first(blocks.blockFor(pod("b"), known)), idsUnit)
    assert.equal(first(blocks.blockFor(pod("c"), known)), 3 * idsUnit)
    assert.equal(blocks.blockFor(pod("d"), known), undefined)
  })

  it("are free again when the pod was refused, or is not asked for any more", () => {
    const blocks = new IdBlocks(range)
    for (const name of ["a", "b", "c"]) blocks.blockFor(pod(name), [])
    const refused = inState(pod("a"), { rejected: { uid: "uid-a", reason: "OutOfcpu", message: "" } })
    assert.equal(first(blocks.blockFor(pod("d"), [refused])), idsUnit)
    assert.equal(blocks.blockFor(pod("e"), [refused]), undefined)
    blocks.forget("default/b")
    assert.equal(first(blocks.blockFor(pod("e"), [refused])), 2 * idsUnit)
  })
})
