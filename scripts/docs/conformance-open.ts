/** Node conformance tests that no test here covers yet, by their names without tags, with the reason. */
export const open: ReadonlyMap<string, string> = new Map()
