/** The endpoints of a Service out of its EndpointSlices: judged by kube-proxy's own rows. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { localReadyAddresses } from "../../../../src/actors/service/rules/service-rules.ts"
import { endpointsOfSlices, type SlicedEndpoints, slicedChanges } from "../../../../src/actors/service/rules/slices.ts"
import type { DeclaredSlice } from "../../../../src/adapters/services/port.ts"
import { itMeets, type RowValue } from "../../../support/cases.ts"
import { endpointOf, endpointRow, here, sliceOf } from "./from-api.ts"

const file = "proxy-endpoints.json"

/** Slices as a directory holds them: the last one of a name counts. */
const slicesOf = (rows: ReadonlyArray<RowValue>): Map<string, DeclaredSlice> => {
  const slices = new Map<string, DeclaredSlice>()
  for (const row of rows) {
    const slice = sliceOf(row)
    if (slice !== undefined) slices.set(`${slice.namespace}/${slice.name}`, slice)
  }
  return slices
}

const byService = (slices: ReadonlyMap<string, DeclaredSlice>): ReadonlyMap<string, SlicedEndpoints> => {
  const grouped = Map.groupBy(slices.values(), ({ namespace, service }) => `${namespace}/${service}`)
  return new Map([...grouped].map(([service, list]) => [service, endpointsOfSlices(list)]))
}

/** `namespace/name:port` as rows write it. */
const rowKey = (service: string, port: string): string => {
  const name = port.slice(0, port.lastIndexOf("/"))
  return name === "" ? service : `${service}:${name}`
}

const mapOf = (services: ReadonlyMap<string, SlicedEndpoints>, nodeName: string): RowValue => {
  const map: Record<string, Array<RowValue>> = {}
  for (const [service, endpoints] of services) {
    for (const [port, list] of endpoints) {
      if (list.size > 0) map[rowKey(service, port)] = [...list.values()].map((e) => endpointRow(e, nodeName))
    }
  }
  return sorted(map)
}

const sorted = (map: RowValue): RowValue =>
  Object.fromEntries(
    Object.entries(map as Record<string, ReadonlyArray<RowValue>>).map(([key, list]) => [
      key,
      list.toSorted((a, b) => (a.endpoint < b.endpoint ? -1 : 1))
    ])
  )

const nothing: SlicedEndpoints = new Map()
const isChanged = (before: SlicedEndpoints = nothing, after: SlicedEndpoints = nothing): boolean => {
  const { added, changed, removed } = slicedChanges(before, after)
  return added.length + changed.length + removed.length > 0
}

describe("endpoints out of slices", () => {
  itMeets(file, "TestEndpointsMapFromESC", "are merged by port, each once", ({ in: given, want }) => {
    const own = new Map([...byService(slicesOf(given.endpointSlices))].filter(([name]) => name === given.service))
    assert.deepEqual(mapOf(own, given.nodeName), sorted(want.map))
    return undefined
  })
  itMeets(file, "TestEndpointInfoByServicePort", "of the same address are one", ({ in: given, want }) => {
    const own = new Map([...byService(slicesOf(given.endpointSlices))].filter(([name]) => name === given.service))
    const wanted = Object.fromEntries(
      Object.entries(want.map).map(([key, list]) => [key, Object.values(list as never)])
    )
    assert.deepEqual(mapOf(own, given.nodeName), sorted(wanted))
    return undefined
  })
  itMeets(file, "TestUpdateEndpointsMap", "follow changes of slices", ({ in: given, want }) => {
    const nodeName = "test-hostname"
    const before = slicesOf((given.previousEndpointSlices ?? []).filter((row: RowValue) => row !== null))
    const after = new Map(before)
    const current = given.currentEndpointSlices ?? []
    for (let i = 0; i < Math.max(given.previousEndpointSlices?.length ?? 0, current.length); i++) {
      const old = given.previousEndpointSlices?.[i] ?? null
      const now = current[i] ?? null
      if (now === null && old !== null) after.delete(`${old.metadata.namespace}/${old.metadata.name}`)
      if (now !== null) for (const [key, slice] of slicesOf([now])) after.set(key, slice)
    }
    const was = byService(before)
    const is = byService(after)
    assert.deepEqual(mapOf(was, nodeName), sorted(want.previousMap), "before")
    assert.deepEqual(mapOf(is, nodeName), sorted(want.map), "after")
    const names = new Set([...was.keys(), ...is.keys()])
    const changes = [...names].filter((name) => isChanged(was.get(name), is.get(name))).toSorted()
    assert.deepEqual(changes, want.changedServices.toSorted(), "changed")
    const ready = [...is].flatMap(([name, endpoints]) => {
      const lists = new Map([...endpoints].map(([port, list]) => [port, list.values()]))
      const { size } = localReadyAddresses(lists, { nodeName })
      return size === 0 ? [] : [[name, size]]
    })
    assert.deepEqual(Object.fromEntries(ready), want.localReadyIPs, "ready here")
    return undefined
  })
  itMeets(file, "TestEndpointSliceUpdate", "change with one slice, or do not", ({ in: given, want }) => {
    const before = slicesOf(given.startingSlices)
    const after = new Map(before)
    const { name, namespace } = given.endpointSlice.metadata
    if (given.remove) after.delete(`${namespace}/${name}`)
    else for (const [key, slice] of slicesOf([given.endpointSlice])) after.set(key, slice)
    const [was, is] = [byService(before), byService(after)]
    const changed = isChanged(was.get("ns1/svc1"), is.get("ns1/svc1"))
    assert.equal(changed, want.changed)
    if (changed) assert.deepEqual(mapOf(is, given.nodeName), sorted(want.currentByPort))
    return undefined
  })
  itMeets(file, "TestGetLocalEndpointIPs", "that are ready and here are counted by address", ({ in: given, want }) => {
    const found: Record<string, Array<string>> = {}
    const services = Map.groupBy(
      Object.entries(given.endpointsMap as Record<string, ReadonlyArray<RowValue>>),
      ([key]) => key.split(":")[0] as string
    )
    for (const [service, ports] of services) {
      const byPort = new Map(ports.map(([key, list]) => [key, list.map(endpointOf)]))
      const addresses = [...localReadyAddresses(byPort, { nodeName: here })]
      if (addresses.length > 0) found[service] = addresses.toSorted()
    }
    assert.deepEqual(found, want.localIPs)
    return undefined
  })

  it("do not depend on the order of slices", () => {
    const slice = (name: string, ready: boolean, node: string): DeclaredSlice => ({
      namespace: "a",
      name,
      service: "s",
      family: "IPv4",
      ports: [{ name: "", protocol: "TCP", port: 80 }],
      endpoints: [{ address: "10.0.0.1", ready, serving: true, terminating: false, node }],
      bad: [],
      file: "/f",
      hash: name
    })
    const slices = [slice("one", false, "x"), slice("two", true, "y"), slice("three", true, "z")]
    const first = endpointsOfSlices(slices)
    assert.deepEqual(endpointsOfSlices(slices.toReversed()), first)
    assert.equal(first.get("/TCP")?.get("10.0.0.1:80")?.slice, "a/three", "ready, and the first by name")
  })

  it("of the other family than their slice's are not taken", () => {
    const found = endpointsOfSlices([
      {
        namespace: "a",
        name: "v6",
        service: "s",
        family: "IPv6",
        ports: [{ name: "", protocol: "TCP", port: 80 }],
        endpoints: [
          { address: "10.0.0.1", ready: true, serving: true, terminating: false },
          { address: "fd00::1", ready: true, serving: true, terminating: false }
        ],
        bad: [],
        file: "/f",
        hash: ""
      }
    ])
    assert.deepEqual([...(found.get("/TCP")?.keys() ?? [])], ["[fd00::1]:80"])
  })
})
