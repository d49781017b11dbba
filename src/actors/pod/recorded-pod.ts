/**
 * A pod as it was recorded, made whole again: what the log does not hold (values of variables) comes from the manifest, all
 * else stays as it was admitted, whatever the manifest says by now.
 */
import type { Container, Pod } from "../../events/pod-spec.ts"

/** The name of a variable whose value the manifest does not give any more. */
export interface ValueMissing {
  readonly container: string
  readonly variable: string
}

const withValues = (recorded: Container, declared: Container | undefined): Container | ValueMissing => {
  const { env } = recorded
  // A long list of variables is recorded as a digest only.
  if (env === undefined) return declared?.env === undefined ? recorded : { ...recorded, env: declared.env }
  const whole: Array<NonNullable<Container["env"]>[number]> = []
  for (const { valueHash, ...variable } of env) {
    const value = declared?.env?.findLast(({ name }) => name === variable.name)?.value
    if (valueHash === undefined) whole.push(variable)
    else if (value === undefined) return { container: recorded.name, variable: variable.name }
    else whole.push({ ...variable, value })
  }
  return { ...recorded, env: whole }
}

const isMissing = (container: Container | ValueMissing): container is ValueMissing => "variable" in container

export const madeWhole = (recorded: Pod, declared: Pod): Pod | ValueMissing => {
  const of = (list: "containers" | "initContainers"): ReadonlyArray<Container | ValueMissing> =>
    (recorded.spec[list] ?? []).map((c) =>
      withValues(
        c,
        declared.spec[list]?.find(({ name }) => name === c.name)
      )
    )
  const [containers, initContainers] = [of("containers"), of("initContainers")]
  const missing = [...containers, ...initContainers].find(isMissing)
  if (missing !== undefined) return missing
  return {
    metadata: recorded.metadata,
    spec: {
      ...recorded.spec,
      ...(recorded.spec.initContainers === undefined ? {} : { initContainers: initContainers as Array<Container> }),
      containers: containers as Array<Container>
    }
  }
}
