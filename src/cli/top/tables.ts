/** The tables: their columns, and what a row of one is. */
import type { RecordedEvent } from "../../events/envelope.ts"
import type { FieldName } from "../filter/fields.ts"
import type { Colour } from "../text.ts"

export const tableNames = ["pods", "containers", "probes", "volumes", "images"] as const
export type TableName = (typeof tableNames)[number]
export const tableTitles: Readonly<Record<TableName, string>> = {
  pods: "Pods",
  containers: "Containers",
  probes: "Probes",
  volumes: "Volumes",
  images: "Images"
}

export interface Column {
  readonly title: string
  /** The least that must fit besides: columns of higher numbers give way first. */
  readonly rank: number
  readonly right?: boolean
  /** Takes what is left of the width. One of a table. */
  readonly grows?: boolean
}

export interface Cell {
  readonly text: string
  /** What it is sorted by, where that is not its text. */
  readonly order?: number
  readonly colour?: Colour
}

/** What `why` is asked for: a pod, a container, or one event. */
export type Subject =
  | { readonly _tag: "Pod"; readonly namespace: string; readonly name: string; readonly container?: string }
  | { readonly _tag: "Event"; readonly id: string }

export interface Row {
  /** `pod/default/web`, `container/default/web/app`, `probe/default/web.app.liveness`, … */
  readonly key: string
  /** For people: `pod default/web`. */
  readonly title: string
  readonly cells: ReadonlyArray<Cell>
  readonly subject: Subject | undefined
  /** The fields of the filter language that it has. */
  readonly fields: Partial<Record<FieldName, string>>
}

export const columnsOf: Readonly<Record<TableName, ReadonlyArray<Column>>> = {
  pods: [
    { title: "NAMESPACE", rank: 6 },
    { title: "NAME", rank: 0 },
    { title: "STATUS", rank: 0 },
    { title: "READY", rank: 1, right: true },
    { title: "RESTARTS", rank: 2, right: true },
    { title: "CPU", rank: 5, right: true },
    { title: "MEMORY", rank: 4, right: true },
    { title: "AGE", rank: 3, right: true },
    { title: "LAST TROUBLE", rank: 7, grows: true }
  ],
  containers: [
    { title: "NAMESPACE", rank: 7 },
    { title: "POD", rank: 2 },
    { title: "CONTAINER", rank: 0 },
    { title: "STATE", rank: 0 },
    { title: "READY", rank: 3 },
    { title: "RESTARTS", rank: 1, right: true },
    { title: "CPU", rank: 5, right: true },
    { title: "MEMORY", rank: 4, right: true },
    { title: "RUNNING", rank: 6, right: true },
    { title: "LAST END", rank: 8 },
    { title: "IMAGE", rank: 9, grows: true }
  ],
  probes: [
    { title: "NAMESPACE", rank: 5 },
    { title: "POD", rank: 0 },
    { title: "CONTAINER", rank: 2 },
    { title: "PROBE", rank: 0 },
    { title: "RESULT", rank: 0 },
    { title: "FAILURES", rank: 1, right: true },
    { title: "EVERY", rank: 4, right: true },
    { title: "OUTPUT", rank: 3, grows: true }
  ],
  volumes: [
    { title: "NAMESPACE", rank: 5 },
    { title: "POD", rank: 1 },
    { title: "VOLUME", rank: 0 },
    { title: "TYPE", rank: 3 },
    { title: "STATUS", rank: 0 },
    { title: "PATH OR PROBLEM", rank: 4, grows: true }
  ],
  images: [
    { title: "IMAGE", rank: 0 },
    { title: "STATUS", rank: 0 },
    { title: "CONTAINERS", rank: 2, right: true },
    { title: "SINCE", rank: 3, right: true },
    { title: "LAST HEARD", rank: 4, grows: true }
  ]
}

/** Keys of the rows that an event is about: its actor's, its container's, its pod's. */
export const keysOf = (recorded: RecordedEvent, pod: string, container: string): ReadonlyArray<string> => {
  const { kind, namespace, name } = recorded.actor
  const own = `${kind}/${namespace}/${name}`
  if (pod === "") return [own]
  return [
    own,
    ...(kind === "pod" ? [] : [`pod/${pod}`]),
    ...(container === "" ? [] : [`container/${pod}/${container}`])
  ]
}
