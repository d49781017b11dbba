/** Which route a path means. Pure. */
import type { Route, StreamingRoute } from "./port.ts"

export type Parts = Readonly<Record<string, string>>

interface Pattern<R> {
  readonly route: R
  readonly segments: ReadonlyArray<string>
  /** Name of a last part that takes all that is left. */
  readonly rest: string | undefined
}

/** Characters of a path that no route has: control characters, and the backslash that some take for a slash. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const forbidden = /[\u0000-\u001f\u007f\\]/u

/**
 * A request's path as everything after it sees it: percent-decoded once, without a slash at the end. Undefined: one that is
 * none, or that tries to go up (`..`), in whatever way it is written.
 */
export const readPath = (raw: string): string | undefined => {
  if (!raw.startsWith("/")) return undefined
  let path: string
  try {
    path = decodeURIComponent(raw)
  } catch {
    return undefined
  }
  if (forbidden.test(path)) return undefined
  const trimmed = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path
  if (path === "/") return path
  const segments = trimmed.slice(1).split("/")
  return segments.some((segment) => segment === "" || segment === "." || segment === "..") ? undefined : trimmed
}

const segmentsOf = (path: string): ReadonlyArray<string> =>
  path === "/" ? [] : path.replace(/\/$/u, "").slice(1).split("/")

const patternOf = <R extends { readonly path: string }>(route: R): Pattern<R> => {
  const segments = segmentsOf(route.path)
  const rest = /^\{(\w+)\*\}$/u.exec(segments.at(-1) ?? "")?.[1]
  return { route, segments: rest === undefined ? segments : segments.slice(0, -1), rest }
}

const match = <R>({ segments, rest }: Pattern<R>, path: ReadonlyArray<string>): Parts | undefined => {
  if (rest === undefined ? path.length !== segments.length : path.length < segments.length) return undefined
  const parts: Record<string, string> = {}
  for (const [i, segment] of segments.entries()) {
    const name = /^\{(\w+)\}$/u.exec(segment)?.[1]
    const given = path[i] as string
    if (name === undefined) {
      if (segment !== given) return undefined
    } else parts[name] = given
  }
  if (rest !== undefined) parts[rest] = path.slice(segments.length).join("/")
  return parts
}

export interface Found<R> {
  readonly route: R
  readonly parts: Parts
}

/** All routes whose path is the one that is asked for; several may differ by method. Literal paths come before those with parts. */
export const makeRouter = <R extends Pick<Route, "path"> | Pick<StreamingRoute, "path">>(
  routes: ReadonlyArray<R>
): ((path: string) => ReadonlyArray<Found<R>>) => {
  const literal = ({ route: { path } }: Pattern<R>): number => (path.includes("{") ? path.indexOf("{") : 1_000)
  const patterns = routes.map(patternOf).toSorted((a, b) => literal(b) - literal(a))
  return (path) => {
    const segments = segmentsOf(path)
    return patterns.flatMap((pattern) => {
      const parts = match(pattern, segments)
      return parts === undefined ? [] : [{ route: pattern.route, parts }]
    })
  }
}
