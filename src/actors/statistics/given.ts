type Given<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** What is undefined is left out. Made thousands of times in a pass, and so by hand. */
export const given = <T extends object>(parts: T): Given<T> => {
  const found: Record<string, unknown> = {}
  for (const key in parts) if (parts[key] !== undefined) found[key] = parts[key]
  return found as Given<T>
}
