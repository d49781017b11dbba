import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Result } from "effect"
import {
  expandSubPath,
  isRecursiveReadOnly,
  type MountSources,
  relabelledVolumes,
  subPathOf,
  subPathRequests,
  volumeMounts
} from "../../../../src/actors/pod/effects/mounts.ts"
import { itMeets, podOf, type RowValue } from "../../../support/cases.ts"

const entries = (env: ReadonlyArray<{ name: string; value: string }> | null) =>
  (env ?? []).map(({ name, value }) => ({ key: name, value }))

const sources = (more: Partial<MountSources> = {}): MountSources => ({
  volumes: new Map([["data", { hostPath: "/vol/data" }]]),
  subPaths: new Map(),
  env: [],
  recursiveReadOnly: true,
  ...more
})
const app = (...volumeMounts: ReadonlyArray<object>): RowValue => ({ name: "app", image: "i", volumeMounts })
const problemOf = (result: Result.Result<unknown, { readonly message: string }>): string => {
  assert.ok(Result.isFailure(result), "it is not refused")
  return result.failure.message
}

describe("the mounts of a container", () => {
  itMeets(
    "container-helpers.json",
    "TestExpandVolumeMountsWithSubpath",
    "may have expressions for sub paths",
    (row) => {
      const result = expandSubPath(row.in.mount, entries(row.in.env))
      assert.equal(Result.isFailure(result) ? result.failure.message : null, row.want.error)
      if (Result.isSuccess(result)) assert.equal(result.success, row.want.subPath)
      return undefined
    }
  )
  itMeets("mounts.json", "TestResolveRecursiveReadOnly", "are recursively read-only where that can be", (row) => {
    const result = isRecursiveReadOnly(row.in.mount, row.in.runtimeSupportsRRO)
    if (row.want.errorContains === "") {
      assert.equal(Result.getOrThrow(result), row.want.recursiveReadOnly)
      return undefined
    }
    assert.ok(problemOf(result).includes(row.want.errorContains), problemOf(result))
    return undefined
  })
  itMeets("mounts.json", "TestMakeMounts", "are those of the spec, in its order", (row) => {
    const images: Readonly<Record<string, RowValue>> = row.in.imageVolumes ?? {}
    const volumes = new Map(
      Object.entries(row.in.volumes as Record<string, RowValue>)
        .filter(([, { path }]) => path !== null)
        .map(([name, { path, readOnly }]) => [
          name,
          { hostPath: path, readOnly, ...(images[name] ? { image: images[name] } : {}) }
        ])
    )
    const result = volumeMounts(row.in.container, sources({ volumes, recursiveReadOnly: row.in.supportsRRO }))
    if (row.want.expectErr) {
      assert.equal(problemOf(result), row.want.expectedErrMsg)
      return undefined
    }
    const wanted = row.want.expectedMounts.map((mount: RowValue) => ({
      containerPath: mount.containerPath,
      hostPath: mount.hostPath,
      ...(mount.image === null ? {} : { image: mount.image }),
      ...(mount.readOnly ? { readonly: true } : {}),
      ...(mount.recursiveReadOnly ? { recursiveReadOnly: true } : {}),
      ...(mount.propagation === "PROPAGATION_PRIVATE" ? {} : { propagation: mount.propagation })
    }))
    assert.deepEqual(Result.getOrThrow(result), wanted)
    return undefined
  })
  it("leave sub paths within images to the runtime", () => {
    const image = { image: "sha256:1", userSpecifiedImage: "tools:1" }
    const volumes = new Map([["tools", { hostPath: "", readOnly: true, image }]])
    const env = [{ key: "DIR", value: "lib" }]
    const container = app(
      { name: "tools", mountPath: "/all" },
      { name: "tools", mountPath: "/bin", subPath: "usr/bin" },
      { name: "tools", mountPath: "/lib", subPathExpr: "usr/$(DIR)" }
    )
    assert.deepEqual(Result.getOrThrow(subPathRequests(container, sources({ volumes, env }))), [])
    const mount = { hostPath: "", image, readonly: true }
    assert.deepEqual(Result.getOrThrow(volumeMounts(container, sources({ volumes, env }))), [
      { ...mount, containerPath: "/all" },
      { ...mount, containerPath: "/bin", imageSubPath: "usr/bin" },
      { ...mount, containerPath: "/lib", imageSubPath: "usr/lib" }
    ])
  })
  it("relabel the pod's own files where SELinux is enforced, and nobody else's", () => {
    const pod = podOf({
      spec: {
        volumes: [
          { name: "data", emptyDir: {} },
          { name: "host", hostPath: { path: "/h" } },
          { name: "tools", image: { reference: "i" } },
          { name: "config", configMap: { name: "c" } }
        ]
      }
    })
    const relabelled = relabelledVolumes(pod, { selinux: true })
    assert.deepEqual([...relabelled], ["data", "config"])
    assert.deepEqual([...relabelledVolumes(pod, {})], [])
    const mounts = volumeMounts(app({ name: "data", mountPath: "/d" }), sources({ relabelled }))
    assert.deepEqual(Result.getOrThrow(mounts), [{ containerPath: "/d", hostPath: "/vol/data", selinuxRelabel: true }])
  })
  it("ask for their sub paths first, and then lead there", () => {
    const container = app(
      { name: "data", mountPath: "/whole" },
      { name: "data", mountPath: "/part", subPath: "a/b", readOnly: true, recursiveReadOnly: "IfPossible" },
      { name: "data", mountPath: "/own", subPathExpr: "$(POD)/logs" }
    )
    const env = [{ key: "POD", value: "web" }]
    assert.deepEqual(Result.getOrThrow(subPathRequests(container, sources({ env }))), [
      { index: 1, volume: "data", volumePath: "/vol/data", subPath: "a/b" },
      { index: 2, volume: "data", volumePath: "/vol/data", subPath: "web/logs" }
    ])
    const subPaths = new Map([
      [1, "/sub/1"],
      [2, "/sub/2"]
    ])
    assert.deepEqual(Result.getOrThrow(volumeMounts(container, sources({ env, subPaths }))), [
      { containerPath: "/whole", hostPath: "/vol/data" },
      { containerPath: "/part", hostPath: "/sub/1", readonly: true, recursiveReadOnly: true },
      { containerPath: "/own", hostPath: "/sub/2" }
    ])
    assert.equal(
      problemOf(volumeMounts(container, sources({ env, subPaths: new Map([[1, "/sub/1"]]) }))),
      'failed to prepare subPath for volumeMount "data" of container "app"'
    )
  })
  it("refuse sub paths that lead out, and do not show what an expression stood for", () => {
    const refuse = (mount: object, env: MountSources["env"] = []) => problemOf(subPathOf(mount as RowValue, env))
    assert.equal(refuse({ subPath: "a/../../b" }), "unable to provision SubPath `a/../../b`: must not contain '..'")
    assert.equal(refuse({ subPath: "/a" }), "error SubPath `/a` must not be an absolute path")
    const secret = (value: string) => [{ key: "S", value }]
    assert.equal(
      refuse({ subPathExpr: "$(S)" }, secret("/hunter2")),
      "error SubPath `$(S)` must not be an absolute path"
    )
    assert.equal(
      refuse({ subPathExpr: "x/$(S)" }, secret("../hunter2")),
      "unable to provision SubPath `x/$(S)`: must not contain '..'"
    )
    assert.equal(refuse({ subPathExpr: "$(S)/$(A)" }, secret("")), "missing value for A, S")
    assert.equal(Result.getOrThrow(subPathOf({ subPath: "..a/b..c" } as RowValue, [])), "..a/b..c")
  })
})
