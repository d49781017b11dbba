/**
 * The file of `chronode replay --with`: YAML (or JSON) documents that say what would have been otherwise. A `Pod` is laid over
 * the pod of its name as `kubectl patch` does (`name: "*"`: over every pod); of a `KubeletConfiguration` counts what pods are
 * decided by.
 */
import { readFileSync, statSync } from "node:fs"
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type YAMLMap
} from "yaml"
import type { Change, PodPart } from "../../actors/what-if/change.ts"
import type { EvictionChange } from "../../actors/what-if/eviction-course.ts"
import { describeShape, podShape, type Shape } from "../../events/pod-shape.ts"
import { parseConfiguration } from "../configuration/configuration.ts"
import { CommandFailed } from "../exit.ts"
import { decode, type Written } from "../kubelet-configuration/codec.ts"
import { evictionSettingsOf } from "../kubelet-configuration/eviction.ts"
import { nearest } from "../text.ts"

/** Larger files are refused unread. */
export const maxWhatIfBytes = 1024 * 1024

/** Where something of the file stands, for what only the log can judge. */
export interface Named {
  readonly part: PodPart
  /** `what-if.yaml:3:7`, of the document's name and of the containers that it names. */
  readonly place: string
  readonly containers: ReadonlyArray<{
    readonly name: string
    readonly field: string
    readonly place: string
    /** It says what a container more would need. */
    readonly isWhole: boolean
  }>
}

export interface WhatIfFile {
  readonly change: Change
  readonly named: ReadonlyArray<Named>
  /** For people: fields that change nothing. */
  readonly remarks: ReadonlyArray<string>
}

/** Least values: `ValidateProbe`, `ValidatePodSpec` (`pkg/apis/core/validation/validation.go`). */
const least: Readonly<Record<string, number>> = {
  failureThreshold: 1,
  successThreshold: 1,
  periodSeconds: 1,
  timeoutSeconds: 1,
  initialDelaySeconds: 0,
  terminationGracePeriodSeconds: 0,
  activeDeadlineSeconds: 1
}

/** @throws CommandFailed that names file, line and field of every problem */
export const readWhatIfFile = (file: string): WhatIfFile => {
  let text: string
  try {
    const { size } = statSync(file)
    if (size > maxWhatIfBytes)
      throw new CommandFailed(`${file}: is ${size} bytes long; a what-if file has at most ${maxWhatIfBytes}`)
    text = readFileSync(file, "utf8")
  } catch (error) {
    if (error instanceof CommandFailed) throw error
    throw new CommandFailed(`cannot read the what-if file: ${error instanceof Error ? error.message : String(error)}`)
  }
  return parseWhatIf(text, file)
}

/** `text` is the file's content. @throws CommandFailed that names file, line and field of every problem */
export const parseWhatIf = (text: string, file: string): WhatIfFile => {
  const lines = new LineCounter()
  const problems: Array<string> = []
  const remarks: Array<string> = []
  const named: Array<Named> = []
  let maxRestartPeriodSeconds: number | undefined
  let eviction: EvictionChange | undefined
  const place = (node: unknown): string => {
    const { line, col } = lines.linePos((node as Node | null | undefined)?.range?.[0] ?? 0)
    return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`
  }
  for (const document of parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })) {
    for (const error of document.errors) {
      const { line, col } = lines.linePos(error.pos[0])
      problems.push(`${file}:${line}:${col}: ${error.message.split("\n")[0]}`)
    }
    const root = document.contents
    if (document.errors.length > 0 || root === null || (isScalar(root) && root.value === null)) continue
    if (!isMap(root)) {
      problems.push(`${place(root)}: must be a Pod or a KubeletConfiguration`)
      continue
    }
    const kindNode: unknown = root.get("kind", true)
    const kind = isScalar(kindNode) ? kindNode.value : undefined
    if (kind === "Pod") {
      const reader = new PartReader(document, place)
      const found = reader.pod(root)
      problems.push(...reader.problems)
      if (found !== undefined) named.push(found)
    } else if (kind === "KubeletConfiguration") {
      // Its fields are checked where the agent's own configuration is; the lines are those of this file.
      const before = "\n".repeat(Math.max(0, lines.linePos(root.range?.[0] ?? 0).line - 1))
      const source = text.slice(root.range?.[0] ?? 0, root.range?.[1])
      const { kubelet, remarks: told } = parseConfiguration(`${before}${source}`, file)
      remarks.push(...told.filter(({ level }) => level === "warn").map(({ message }) => message))
      const period = decode(kubelet).crashLoopBackOff.maxContainerRestartPeriod
      if (period !== undefined) maxRestartPeriodSeconds = period / 1000
      const evicting = evictionChange(kubelet)
      if (evicting !== undefined) eviction = { ...eviction, ...evicting }
      for (const name of Object.keys(kubelet)) {
        if (!["apiVersion", "kind", "crashLoopBackOff"].includes(name) && !Object.hasOwn(evictionFields, name))
          remarks.push(
            `${place(root)}: ${name}: changes nothing here; what pods are decided by is crashLoopBackOff and what evicts them`
          )
      }
    } else {
      problems.push(
        `${place(kindNode ?? root)}: kind: must be Pod or KubeletConfiguration, not ${JSON.stringify(kind ?? null)}`
      )
    }
  }
  if (problems.length === 0 && named.length === 0 && maxRestartPeriodSeconds === undefined && eviction === undefined)
    problems.push(`${file}: says of nothing that it would have been otherwise`)
  if (problems.length > 0) throw new CommandFailed(problems.join("\n"), "chronode replay --help shows an example")
  const pods = named.map(({ part }) => part)
  return {
    change: {
      pods,
      ...(maxRestartPeriodSeconds === undefined ? {} : { maxRestartPeriodSeconds }),
      ...(eviction === undefined ? {} : { eviction })
    },
    named,
    remarks
  }
}

/** Fields of a KubeletConfiguration that evictions follow from, and what eviction calls them. */
const evictionFields: Readonly<Record<string, keyof EvictionChange>> = {
  evictionHard: "evictionHard",
  evictionSoft: "evictionSoft",
  evictionSoftGracePeriod: "evictionSoftGracePeriod",
  evictionMinimumReclaim: "evictionMinimumReclaim",
  localStorageCapacityIsolation: "localStorageCapacityIsolation",
  evictionPressureTransitionPeriod: "evictionPressureTransitionPeriodSeconds",
  evictionMaxPodGracePeriod: "evictionMaxPodGracePeriodSeconds"
}

/** As the file has them; `undefined`: none of them. */
const evictionChange = (written: Written): EvictionChange | undefined => {
  const given = Object.entries(evictionFields).filter(([field]) => Object.hasOwn(written, field))
  if (given.length === 0) return undefined
  const settings = evictionSettingsOf(decode(written))
  return Object.fromEntries(given.map(([, setting]) => [setting, settings[setting]]))
}

const every = "*"

/** Reads a part of a pod against the shape of a whole one: every field must be known and of its type, none is asked for. */
class PartReader {
  readonly problems: Array<string> = []
  private readonly containers: Array<Named["containers"][number]> = []
  private readonly document: Document
  private readonly place: (node: unknown) => string

  constructor(document: Document, place: (node: unknown) => string) {
    this.document = document
    this.place = place
  }

  pod(root: YAMLMap): Named | undefined {
    const { metadata, spec } = this.read(root, podShape, "") as {
      readonly metadata?: { readonly name?: string; readonly namespace?: string; readonly uid?: string }
      readonly spec?: object
    }
    const where = root.getIn(["metadata", "name"], true) ?? root
    if (metadata?.name === undefined)
      this.problem(where, "metadata.name", `is missing: which pod? write "${every}" for every pod`)
    if (metadata?.uid !== undefined)
      this.problem(where, "metadata.uid", "cannot be otherwise: it is the same pod in both courses")
    if (this.problems.length > 0 || metadata === undefined) return undefined
    const { name, namespace: given, ...others } = metadata
    const namespace = given ?? (name === every ? every : "default")
    const part: PodPart = {
      ...(namespace === every ? {} : { namespace }),
      ...(name === every || name === undefined ? {} : { name }),
      part: {
        ...(Object.keys(others).length === 0 ? {} : { metadata: others }),
        ...(spec === undefined ? {} : { spec })
      }
    }
    return { part, place: this.place(where), containers: this.containers }
  }

  private problem(node: unknown, field: string, message: string): void {
    this.problems.push(`${this.place(node)}: ${field}: ${message}`)
  }

  /** Plain JSON; null stays, for it takes a field away. */
  private read(raw: unknown, shape: Shape, path: string): unknown {
    const node = isAlias(raw) ? raw.resolve(this.document) : raw
    if (node === null || node === undefined || (isScalar(node) && node.value === null)) return null
    const wrong = (): undefined => {
      this.problem(node, path, `must be ${describeShape(shape)}`)
    }
    switch (shape.kind) {
      case "struct":
        return isMap(node) ? this.readStruct(node, shape.fields, path) : wrong()
      case "map":
        if (!isMap(node)) return wrong()
        return Object.fromEntries(
          node.items.map(({ key, value }) => {
            const name = String(isScalar(key) ? key.value : key)
            return [name, this.read(value, shape.value, `${path}[${name}]`)]
          })
        )
      case "list":
        return isSeq(node) ? node.items.map((item, i) => this.read(item, shape.item, `${path}[${i}]`)) : wrong()
      default:
        return isScalar(node) ? this.readScalar(node.value, node, shape, path) : wrong()
    }
  }

  private readStruct(map: YAMLMap, fields: ReadonlyMap<string, Shape>, path: string): object {
    const out: Record<string, unknown> = {}
    for (const { key, value } of map.items) {
      const name = String(isScalar(key) ? key.value : key)
      const field = path === "" ? name : `${path}.${name}`
      const shape = fields.get(name)
      if (shape === undefined) {
        const near = nearest(name, [...fields.keys()])
        this.problem(
          key,
          field,
          `is no field that a pod is decided by${near.length === 0 ? "" : `; did you mean ${near.join(" or ")}?`}`
        )
      } else if (name in out) this.problem(key, field, "is given twice")
      else out[name] = this.read(value, shape, field)
    }
    if (/^spec\.(?:initContainers|containers|ephemeralContainers)\[\d+\]$/u.test(path)) this.container(map, out, path)
    return out
  }

  private container(map: YAMLMap, out: Readonly<Record<string, unknown>>, field: string): void {
    if (typeof out.name !== "string") this.problem(map, `${field}.name`, "is missing: which container?")
    else {
      const place = this.place(map.get("name", true))
      this.containers.push({ name: out.name, field, place, isWhole: typeof out.image === "string" })
    }
  }

  private readScalar(value: unknown, node: unknown, shape: Shape, path: string): unknown {
    const wrong = (must: string): undefined =>
      this.problem(node, path, `must be ${must}, not ${JSON.stringify(value)}`) as undefined
    const isWhole = Number.isSafeInteger(value)
    switch (shape.kind) {
      case "integer": {
        if (!isWhole) return wrong(describeShape(shape))
        const name = path.slice(path.lastIndexOf(".") + 1)
        const bound = least[name]
        if (bound !== undefined && (value as number) < bound) return wrong(`at least ${bound}`)
        if (name === "successThreshold" && /(?:liveness|startup)Probe\./u.test(path) && value !== 1)
          return wrong("1 for a liveness or startup probe")
        return value
      }
      case "boolean":
        return typeof value === "boolean" ? value : wrong(describeShape(shape))
      case "integerOrText":
        return isWhole || typeof value === "string" ? value : wrong(describeShape(shape))
      case "quantity":
        return typeof value === "string" || typeof value === "number" ? String(value) : wrong(describeShape(shape))
      case "choice":
        return typeof value === "string" && shape.of.includes(value) ? value : wrong(describeShape(shape))
      default:
        return typeof value === "string" ? value : wrong(`${describeShape(shape)} (put it in quotes)`)
    }
  }
}
