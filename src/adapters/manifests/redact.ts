/** The recorded form of a pod (law 9): values of variables and of HTTP headers are replaced by short hashes. */
import { createHash } from "node:crypto"
import type { Container, LifecycleHandler, Pod, Probe } from "../../events/pod-spec.ts"
import { maxListedVariables } from "./limits.ts"

const hashDigits = 16

/** First 16 hex digits of SHA-256 over uid, name and value: a change is seen, the value is not. */
export const valueHash = (uid: string, name: string, value: string): string =>
  createHash("sha256").update(`${uid}\0${name}\0${value}`).digest("hex").slice(0, hashDigits)

interface Named {
  readonly name: string
  readonly value?: string
  readonly valueHash?: string
}

const redactValue = <A extends Named>(uid: string, { value, ...rest }: A) =>
  value === undefined ? rest : { ...rest, valueHash: valueHash(uid, rest.name, value) }

const redactProbe = (uid: string, probe: Probe): Probe =>
  probe.httpGet?.httpHeaders === undefined
    ? probe
    : {
        ...probe,
        httpGet: { ...probe.httpGet, httpHeaders: probe.httpGet.httpHeaders.map((h) => redactValue(uid, h)) }
      }

const probeFields = ["livenessProbe", "readinessProbe", "startupProbe"] as const

const redactHook = (uid: string, handler: LifecycleHandler): LifecycleHandler =>
  handler.httpGet?.httpHeaders === undefined
    ? handler
    : {
        ...handler,
        httpGet: { ...handler.httpGet, httpHeaders: handler.httpGet.httpHeaders.map((h) => redactValue(uid, h)) }
      }

const redactLifecycle = (uid: string, { postStart, preStop, ...rest }: NonNullable<Container["lifecycle"]>) => ({
  ...rest,
  ...(postStart === undefined ? {} : { postStart: redactHook(uid, postStart) }),
  ...(preStop === undefined ? {} : { preStop: redactHook(uid, preStop) })
})

const redactContainer = (uid: string, container: Container): Container => {
  const probes = probeFields.flatMap((field) => {
    const probe = container[field]
    return probe === undefined ? [] : [[field, redactProbe(uid, probe)] as const]
  })
  return {
    ...container,
    ...(container.env === undefined ? {} : { env: container.env.map((e) => redactValue(uid, e)) }),
    ...(container.lifecycle === undefined ? {} : { lifecycle: redactLifecycle(uid, container.lifecycle) }),
    ...Object.fromEntries(probes)
  }
}

const digested = <C extends Container>(container: C): C => {
  const { env, ...rest } = container
  if (env === undefined || env.length <= maxListedVariables) return container
  const hash = createHash("sha256").update(JSON.stringify(env)).digest("hex").slice(0, hashDigits)
  return { ...rest, envDigest: { count: env.length, hash } } as unknown as C
}

/**
 * A recorded pod that would be too large for an event, without its long lists of variables: a hash over each list shows that
 * it changed, if no longer where.
 */
export const withoutLongLists = ({ metadata, spec }: Pod): Pod => {
  const { containers, initContainers, ephemeralContainers, ...rest } = spec
  return {
    metadata,
    spec: {
      ...rest,
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map(digested) }),
      ...(ephemeralContainers === undefined ? {} : { ephemeralContainers: ephemeralContainers.map(digested) }),
      containers: containers.map(digested)
    }
  }
}

export const redact = (pod: Pod): Pod => {
  const { uid } = pod.metadata
  const { containers, initContainers, ephemeralContainers, ...spec } = pod.spec
  return {
    metadata: pod.metadata,
    spec: {
      ...spec,
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map((c) => redactContainer(uid, c)) }),
      ...(ephemeralContainers === undefined
        ? {}
        : { ephemeralContainers: ephemeralContainers.map((c) => redactContainer(uid, c)) }),
      containers: containers.map((c) => redactContainer(uid, c))
    }
  }
}
