/** Node conformance tests that no test here covers yet, by their names without tags, with the reason. */
const noApi = "there is no API server on the node, and kubelet's HTTP interface is not served yet"

const named = (reason: string, ...names: ReadonlyArray<string>) => names.map((name) => [name, reason] as const)

export const open: ReadonlyMap<string, string> = new Map([
  ...named(
    noApi,
    "Pods should support remote command execution over websockets",
    "Pods should support retrieving logs from the container over websockets"
  )
])
