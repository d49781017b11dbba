/** The part of validation that is about probes, hooks and restart rules of a container: see validate.ts. */
import type { Container, LifecycleHandler, Probe } from "../../events/pod-spec.ts"
import { stopSignals, windowsStopSignals } from "../../events/signals.ts"
import { headerNameProblem, portNameProblem, portProblem } from "./names.ts"
import type { Complain } from "./written.ts"

const probeMinimums = {
  initialDelaySeconds: 0,
  // Zero stands for the default.
  timeoutSeconds: 0,
  periodSeconds: 0,
  successThreshold: 0,
  failureThreshold: 0,
  terminationGracePeriodSeconds: 1
} as const

export const validateProbe = (
  probe: Probe,
  field: "livenessProbe" | "readinessProbe" | "startupProbe",
  path: string,
  complain: Complain
): void => {
  const handlers = (["exec", "httpGet", "tcpSocket", "grpc"] as const).filter((h) => probe[h] !== undefined)
  if (handlers.length !== 1)
    complain(path, `needs exactly one of exec, httpGet, tcpSocket, grpc; has ${handlers.length}`)
  for (const [name, least] of Object.entries(probeMinimums)) {
    const value = probe[name as keyof typeof probeMinimums]
    if (value !== undefined && value < least) complain(`${path}.${name}`, `must be ${least} or more`)
  }
  if (field !== "readinessProbe" && (probe.successThreshold ?? 1) > 1) complain(`${path}.successThreshold`, "must be 1")
  if (field === "readinessProbe" && probe.terminationGracePeriodSeconds !== undefined) {
    complain(`${path}.terminationGracePeriodSeconds`, "is not allowed for a readiness probe")
  }
  validateActions(probe, path, complain)
  if (probe.grpc !== undefined) {
    const port: number | undefined = probe.grpc.port
    if (port === undefined) complain(`${path}.grpc.port`, "is missing")
    else check(`${path}.grpc.port`, portProblem(port), complain)
  }
}

/** What probes and hooks ask of a container. */
const validateActions = (
  { exec, httpGet, tcpSocket }: Pick<Probe, "exec" | "httpGet" | "tcpSocket">,
  path: string,
  complain: Complain
): void => {
  if (exec !== undefined && (exec.command ?? []).length === 0) complain(`${path}.exec.command`, "is missing")
  for (const [handler, action] of [
    ["httpGet", httpGet],
    ["tcpSocket", tcpSocket]
  ] as const) {
    if (action === undefined) continue
    const port: number | string | undefined = action.port
    if (port === undefined) complain(`${path}.${handler}.port`, "is missing")
    else
      check(`${path}.${handler}.port`, typeof port === "number" ? portProblem(port) : portNameProblem(port), complain)
  }
  for (const [i, header] of (httpGet?.httpHeaders ?? []).entries()) {
    const at = `${path}.httpGet.httpHeaders[${i}]`
    if (header.name === undefined) complain(`${at}.name`, "is missing")
    else check(`${at}.name`, headerNameProblem(header.name), complain)
    if (/[\0\r\n]/u.test(header.value ?? "")) complain(`${at}.value`, "must not contain line breaks")
  }
}

/** `grace`: the pod's grace period, seconds, in which a sleep has to fit. */
export const validateLifecycle = (
  lifecycle: NonNullable<Container["lifecycle"]>,
  path: string,
  grace: number,
  complain: Complain
): void => {
  for (const hook of ["postStart", "preStop"] as const) {
    const handler = lifecycle[hook]
    if (handler !== undefined) validateHandler(handler, `${path}.${hook}`, grace, complain)
  }
}

const validateHandler = (handler: LifecycleHandler, path: string, grace: number, complain: Complain): void => {
  const given = (["exec", "httpGet", "sleep"] as const).filter((h) => handler[h] !== undefined)
  if (given.length !== 1) complain(path, `needs exactly one of exec, httpGet, sleep; has ${given.length}`)
  validateActions(handler, path, complain)
  const seconds: number | undefined = handler.sleep?.seconds
  if (handler.sleep !== undefined && (seconds === undefined || seconds < 0 || seconds > grace)) {
    complain(`${path}.sleep.seconds`, `must be between 0 and the grace period of ${grace} s`)
  }
}

/** `os`: the pod's, which has to be given: what is a signal depends on it. */
export const validateStopSignal = (
  signal: string | undefined,
  os: string | undefined,
  path: string,
  complain: Complain
): void => {
  if (signal === undefined) return
  if (os === undefined || os === "") {
    complain(path, "needs spec.os.name")
    return
  }
  const known = os === "windows" ? windowsStopSignals : stopSignals
  if (!known.includes(signal)) complain(path, `${JSON.stringify(signal.slice(0, 60))} is no stop signal of ${os}`)
}

/** As many rules, and exit codes of one rule, as the API takes. */
const maxRules = 20
const maxExitCodes = 255

export const validateRestartRules = (
  { restartPolicy, restartPolicyRules: rules }: Pick<Partial<Container>, "restartPolicy" | "restartPolicyRules">,
  path: string,
  complain: Complain
): void => {
  if (rules === undefined) return
  if (restartPolicy === undefined) complain(`${path}.restartPolicy`, "is missing: rules need it")
  if (rules.length > maxRules) complain(`${path}.restartPolicyRules`, `has ${rules.length} rules; at most ${maxRules}`)
  for (const [i, rule] of rules.entries()) {
    const at = `${path}.restartPolicyRules[${i}]`
    const action: string | undefined = rule.action
    if (action === undefined) complain(`${at}.action`, "is missing")
    const { exitCodes } = rule
    if (exitCodes === undefined) {
      complain(`${at}.exitCodes`, "is missing")
      continue
    }
    const operator: string | undefined = exitCodes.operator
    if (operator === undefined) complain(`${at}.exitCodes.operator`, "is missing")
    const values = exitCodes.values ?? []
    if (values.length === 0) complain(`${at}.exitCodes.values`, "needs at least one exit code")
    if (values.length > maxExitCodes) complain(`${at}.exitCodes.values`, `has more than ${maxExitCodes} exit codes`)
    if (new Set(values).size !== values.length) complain(`${at}.exitCodes.values`, "names an exit code twice")
    const wrong = values.find((code) => code < 0 || code > 255)
    if (wrong !== undefined) complain(`${at}.exitCodes.values`, `${wrong} is no exit code`)
  }
}

const check = (field: string, wrong: string | undefined, complain: Complain): void => {
  if (wrong !== undefined) complain(field, wrong)
}
