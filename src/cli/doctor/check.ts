/** What one check of `chronode doctor` answers. */

export interface Check {
  /** `rights`, `runtime`, …: one word, the same in every version. */
  readonly name: string
  /** `warn`: the agent runs, but not all of it, or not for long. `fail`: it cannot do its work. */
  readonly status: "ok" | "warn" | "fail"
  readonly found: string
  /** What to do about it; absent where nothing is wrong. */
  readonly mend?: string
}

export const ok = (name: string, found: string): Check => ({ name, status: "ok", found })
export const warn = (name: string, found: string, mend: string): Check => ({ name, status: "warn", found, mend })
export const fail = (name: string, found: string, mend: string): Check => ({ name, status: "fail", found, mend })

export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
