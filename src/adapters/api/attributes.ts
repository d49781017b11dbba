/** What a request means to authorization: kubelet's map of paths to subresources of the node (`pkg/kubelet/server/auth.go`). Pure. */

export interface Attributes {
  /** Empty: a method without a verb, which nobody is granted by name. */
  readonly verb: string
  /** Of `nodes/<name>`, in the order in which they are tried: one that is granted is enough. */
  readonly subresources: ReadonlyArray<string>
}

const verbs: Readonly<Record<string, string>> = {
  POST: "create",
  GET: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete"
}

/** Whether `path` is `root` or below it; a slash at the end of `root` means nothing. */
export const isBeneath = (path: string, root: string): boolean => {
  const trimmed = root.replace(/\/$/u, "")
  return path === trimmed || path.startsWith(`${trimmed}/`)
}

/** Fine-grained ones, for which `proxy` is enough too (KubeletFineGrainedAuthz, locked on since 1.36). */
const fine: ReadonlyArray<readonly [root: string, subresource: string]> = [
  ["/pods", "pods"],
  ["/healthz", "healthz"],
  ["/configz", "configz"],
  ["/runningpods", "pods"]
]

const own: ReadonlyArray<readonly [root: string, subresource: string]> = [
  ["/stats", "stats"],
  ["/metrics", "metrics"],
  ["/logs", "log"],
  ["/checkpoint", "checkpoint"],
  ["/statusz", "statusz"],
  ["/flagz", "configz"]
]

/** @param path without the query, percent-decoded */
export const attributesOf = (method: string, path: string): Attributes => {
  const find = (table: typeof own): string | undefined => table.find(([root]) => isBeneath(path, root))?.[1]
  const special = find(own)
  const finer = find(fine)
  return {
    verb: verbs[method] ?? "",
    subresources: special === undefined ? [...(finer === undefined ? [] : [finer]), "proxy"] : [special]
  }
}
