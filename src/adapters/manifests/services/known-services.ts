/**
 * What a reader of Services remembers. The rules are those of pods: of two with one name the first file's counts, and a
 * file that has a broken document keeps what its last good version declared.
 */
import {
  type DeclaredService,
  type DeclaredSlice,
  maxEndpoints,
  maxServices,
  type ServicesFile
} from "../../services/port.ts"
import type { ReadFile } from "../directory.ts"
import type { ManifestProblem } from "../port.ts"
import { clipIgnored, clipProblem, fitting } from "../snapshot.ts"
import type { ParsedServices } from "./read-file.ts"

type Declared = DeclaredService | DeclaredSlice

const keyOf = ({ namespace, name }: Declared): string => `${namespace}/${name}`

const isBroken = ({ parsed }: ReadFile<ParsedServices>): boolean => parsed.problems.length > 0

/** Of the objects of one kind: which of them count, and what is wrong with the others. */
class Known<A extends Declared> {
  private current: Map<string, A> = new Map()
  private all: ReadonlyArray<A> = []
  /** What each file held at the last look. */
  private readonly read = new Map<string, ParsedServices>()
  /** All of that counts: no file is broken, no name is declared twice, nothing is left out. */
  private isPlain = false
  private room = 0
  private readonly kind: string
  private readonly limit: { readonly most: number; readonly of: string; readonly weight: (one: A) => number }

  constructor(kind: string, limit: Known<A>["limit"]) {
    this.kind = kind
    this.limit = limit
  }

  take(
    files: ReadonlyArray<ReadFile<ParsedServices>>,
    declared: (parsed: ParsedServices) => ReadonlyArray<A>,
    complain: (file: string, problem: ManifestProblem) => void
  ): ReadonlyArray<A> {
    if (!this.isPlain || !this.takeChanges(files, declared)) this.takeAll(files, declared, complain)
    return this.all
  }

  /**
   * Only what differs from the last look, so that one file among many costs little; what stays keeps its place. False: it is
   * not so simple, and all has to be taken anew.
   */
  private takeChanges(
    files: ReadonlyArray<ReadFile<ParsedServices>>,
    declared: (parsed: ParsedServices) => ReadonlyArray<A>
  ): boolean {
    const changed = files.filter(({ file, parsed }) => this.read.get(file) !== parsed)
    if (changed.some(isBroken)) return false
    const isFewer =
      files.length - changed.length < this.read.size - changed.filter(({ file }) => this.read.has(file)).length
    if (changed.length === 0 && !isFewer) return true
    const present = isFewer ? new Set(files.map(({ file }) => file)) : undefined
    const gone = present === undefined ? [] : [...this.read.keys()].filter((file) => !present.has(file))
    const { weight } = this.limit
    const before = [...gone, ...changed.map(({ file }) => file)].flatMap((file) => {
      const parsed = this.read.get(file)
      return parsed === undefined ? [] : declared(parsed)
    })
    const after = changed.flatMap(({ parsed }) => declared(parsed))
    const room =
      this.room + before.reduce((sum, one) => sum + weight(one), 0) - after.reduce((sum, one) => sum + weight(one), 0)
    const leaving = new Set(before.map(keyOf))
    const coming = new Set(after.map(keyOf))
    const isTaken = after.some((one) => this.current.has(keyOf(one)) && !leaving.has(keyOf(one)))
    if (room < 0 || coming.size < after.length || isTaken) return false
    for (const one of before) if (!coming.has(keyOf(one))) this.current.delete(keyOf(one))
    for (const one of after) this.current.set(keyOf(one), one)
    for (const file of gone) this.read.delete(file)
    for (const { file, parsed } of changed) this.read.set(file, parsed)
    this.room = room
    if (before.length + after.length > 0) this.all = [...this.current.values()]
    return true
  }

  private takeAll(
    files: ReadonlyArray<ReadFile<ParsedServices>>,
    declared: (parsed: ParsedServices) => ReadonlyArray<A>,
    complain: (file: string, problem: ManifestProblem) => void
  ): void {
    const next = new Map<string, A>()
    const { most, of, weight } = this.limit
    let room = most
    let isPlain = true
    const refuse = (one: A, message: string): void => {
      const at = one.line === undefined ? {} : { line: one.line }
      isPlain = false
      complain(one.file, { ...at, field: "metadata.name", message })
    }
    this.read.clear()
    for (const { file, parsed } of files) {
      this.read.set(file, parsed)
      for (const one of declared(parsed)) {
        const key = keyOf(one)
        const owner = next.get(key)?.file
        if (owner !== undefined) {
          const where = owner === file ? "earlier in this file" : `in ${owner}`
          refuse(one, `${this.kind} ${key} is declared ${where} already`)
        } else if (room < weight(one)) {
          refuse(one, `more than ${most} ${of} are declared: ${this.kind} ${key} is left out`)
        } else {
          room -= weight(one)
          next.set(key, one)
        }
      }
    }
    const broken = new Set(files.filter(isBroken).map(({ file }) => file))
    // What a broken document declared cannot be known: whatever is missing may be in it, and stays.
    if (broken.size > 0) {
      isPlain = false
      for (const [key, one] of this.current) {
        if (!broken.has(one.file) || next.has(key) || room < weight(one)) continue
        room -= weight(one)
        next.set(key, one)
      }
    }
    this.current = next
    this.all = [...next.values()]
    this.isPlain = isPlain
    this.room = room
  }
}

export class KnownServices {
  private readonly services = new Known<DeclaredService>("Service", {
    most: maxServices,
    of: "Services",
    weight: () => 1
  })
  private readonly slices = new Known<DeclaredSlice>("EndpointSlice", {
    most: maxEndpoints,
    of: "endpoints",
    weight: ({ endpoints }) => Math.max(1, endpoints.length)
  })
  /** What is told of a file stays the same object as long as nothing of it changes. */
  private told = new Map<string, ServicesFile>()

  /** `files`: sorted by name. */
  take(files: ReadonlyArray<ReadFile<ParsedServices>>) {
    const extra = new Map<string, Array<ManifestProblem>>()
    const complain = (file: string, problem: ManifestProblem): void => {
      const known = extra.get(file)
      if (known === undefined) extra.set(file, [problem])
      else known.push(problem)
    }
    const services = this.services.take(files, (parsed) => parsed.services, complain)
    const slices = this.slices.take(files, (parsed) => parsed.slices, complain)
    const told = new Map<string, ServicesFile>()
    for (const { file, hash, parsed } of files) {
      const problems = [...parsed.problems, ...(extra.get(file) ?? [])]
      const now: ServicesFile = {
        file,
        hash,
        objects: parsed.services.length + parsed.slices.length,
        problems: fitting(problems.map(clipProblem), (n) => ({ message: `and ${n} more problems` })),
        ignoredFields: fitting(parsed.ignoredFields.map(clipIgnored), (n) => ({
          field: "…",
          message: `and ${n} more fields`
        }))
      }
      const before = this.told.get(file)
      told.set(file, before !== undefined && isSame(before, now) ? before : now)
    }
    this.told = told
    return { files: [...told.values()], services, slices }
  }
}

const isSame = (a: ServicesFile, b: ServicesFile): boolean =>
  a.hash === b.hash &&
  a.objects === b.objects &&
  JSON.stringify([a.problems, a.ignoredFields]) === JSON.stringify([b.problems, b.ignoredFields])
