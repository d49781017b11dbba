/** Where a source file belongs, which rooms may see which, and which files must stay pure. Paths are from the root, with `/`. */

export type Place =
  /** main.ts and src/agent: they tie the live layers together. */
  | { readonly room: "wiring" }
  | { readonly room: "cli" }
  | { readonly room: "actors" }
  | { readonly room: "adapters"; readonly neighbour: string; readonly isPort: boolean }
  | { readonly room: "reports" }
  | { readonly room: "events" }
  /** The library for other people's programs. */
  | { readonly room: "client" }
  | { readonly room: "none" }

const isWiring = (path: string): boolean => path === "src/main.ts" || path.startsWith("src/agent/")

/** The one file that may ask which runtime this is. */
export const runtimeFile = "src/adapters/host/runtime.ts"

export const placeOf = (path: string): Place => {
  if (isWiring(path)) return { room: "wiring" }
  // Dresses ports for the wiring: sees what an adapter sees, and is seen by the wiring alone.
  if (path === "src/failpoints.ts") return { room: "adapters", neighbour: "failpoints", isPort: false }
  const [, room, neighbour, ...rest] = path.split("/")
  if (room === "cli" || room === "events" || room === "actors" || room === "reports" || room === "client")
    return { room }
  if (room === "adapters" && neighbour !== undefined && rest.length > 0) {
    return { room, neighbour, isPort: rest.join("/") === "port.ts" }
  }
  return { room: "none" }
}

/**
 * Not a neighbour but a language that several are spoken to in: the kernel's netlink, Prometheus' metrics, listening for
 * clients. Adapters may use its codecs, sockets and registries; it knows of other adapters no more than their ports.
 */
const languages: ReadonlySet<string> = new Set(["netlink", "metrics", "serving"])

/** Files whose code must give the same answers from the same log, on every runtime: no Node, Bun or Deno API. */
export const isPure = (path: string): boolean =>
  /^src\/actors\/(?:.+\/)?(?:decider|state|plan|commands)\.ts$/.test(path) ||
  (path.startsWith("src/actors/pod/") && !path.endsWith("/behavior.ts")) ||
  path.startsWith("src/actors/service/rules/") ||
  path.startsWith("src/actors/node/status/") ||
  path.startsWith("src/actors/what-if/") ||
  /^src\/events\/(?:kinds\/)?[^/]+\.ts$/.test(path) ||
  /^src\/reports\/(?:timeline\/[^/]+|perfetto|html\/(?:columns|format|pack))\.ts$/.test(path)

/** Files that run in a browser: they must not even load a Node API, and nobody loads them but their bundle. */
export const isBrowser = (path: string): boolean => path.startsWith("src/reports/viewer/")

export const isGenerated = (path: string): boolean => path.includes("/generated/")

/** What is wrong with an import from one place to another, and what to do; undefined when it is allowed. */
export const wrongDirection = (
  from: Place,
  to: Place,
  target: string
): { readonly rule: string; readonly remedy: string } | undefined => {
  if (from.room === "none" || from.room === "wiring" || to.room === "none") return undefined
  if (to.room === "wiring") {
    return { rule: "wiring-is-last", remedy: "let src/main.ts hand in what is needed, as a Layer or an argument" }
  }
  if (from.room === "client" && to.room !== "client" && to.room !== "events") {
    return {
      rule: "client-imports-events",
      remedy: `move what is shared from ${target} into src/events: the library is loaded into other people's programs`
    }
  }
  if (to.room === "client" && from.room !== "client") {
    return { rule: "client-is-for-others", remedy: "move what is shared into src/events" }
  }
  if (from.room === "events" && to.room !== "events") {
    return {
      rule: "events-import-events",
      remedy: `move what is shared from ${target} into src/events, or take it as a parameter or a service`
    }
  }
  if (from.room === "reports" && to.room !== "events" && to.room !== "reports") {
    return {
      rule: "reports-know-events",
      remedy: `a report is made of events alone: let src/cli hand in what it needs of ${target}`
    }
  }
  if (to.room === "reports" && from.room !== "reports" && from.room !== "cli") {
    return { rule: "reports-are-for-the-cli", remedy: "move what is shared into src/events" }
  }
  if (from.room === "actors") {
    if (to.room === "cli")
      return { rule: "actors-know-no-cli", remedy: "move what is shared into src/events or src/actors" }
    if (to.room === "adapters" && !to.isPort) {
      return {
        rule: "actors-use-ports",
        remedy: `import src/adapters/${to.neighbour}/port.ts and get the live code as a service from src/agent.ts`
      }
    }
  }
  if (from.room === "adapters") {
    if (to.room === "cli" || to.room === "actors") {
      return {
        rule: "adapters-know-no-actor",
        remedy:
          "adapters speak in their port's words: let the actor translate, or move the type into src/events or port.ts"
      }
    }
    if (to.room === "adapters" && to.neighbour !== from.neighbour && !to.isPort && !languages.has(to.neighbour)) {
      return {
        rule: "adapters-are-apart",
        remedy: `import src/adapters/${to.neighbour}/port.ts and take the service that src/agent.ts provides`
      }
    }
  }
  if (from.room === "cli" && to.room === "adapters" && !to.isPort) {
    return {
      rule: "cli-uses-ports",
      remedy: `import src/adapters/${to.neighbour}/port.ts and let src/main.ts provide the live layer`
    }
  }
  return undefined
}
