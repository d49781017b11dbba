/** Cycles of a directed graph: one, the shortest through its first node, for each knot of nodes that reach each other. */

/** Each cycle begins and ends with the same node. Nodes without an entry have no edges. */
export const cyclesOf = (edges: ReadonlyMap<string, ReadonlyArray<string>>): ReadonlyArray<ReadonlyArray<string>> => {
  const found: Array<ReadonlyArray<string>> = []
  const done = new Set<string>()
  for (const start of [...edges.keys()].sort()) {
    if (done.has(start)) continue
    const cycle = shortestCycle(start, edges)
    if (cycle === undefined) continue
    found.push(cycle)
    const forward = reachable(start, edges)
    for (const node of forward) if (reachable(node, edges).has(start)) done.add(node)
  }
  return found
}

const reachable = (start: string, edges: ReadonlyMap<string, ReadonlyArray<string>>): ReadonlySet<string> => {
  const seen = new Set<string>()
  const queue = [start]
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    for (const next of edges.get(node) ?? []) {
      if (seen.has(next)) continue
      seen.add(next)
      queue.push(next)
    }
  }
  return seen
}

const shortestCycle = (
  start: string,
  edges: ReadonlyMap<string, ReadonlyArray<string>>
): ReadonlyArray<string> | undefined => {
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (let at = 0; at < queue.length; at++) {
    const node = queue[at]!
    for (const next of edges.get(node) ?? []) {
      if (next === start) {
        const path = [start]
        for (let back: string | undefined = node; back !== undefined && back !== start; back = cameFrom.get(back)) {
          path.unshift(back)
        }
        return [start, ...path]
      }
      if (cameFrom.has(next)) continue
      cameFrom.set(next, node)
      queue.push(next)
    }
  }
  return undefined
}
