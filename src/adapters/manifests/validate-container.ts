/** The part of validation that is about containers: see validate.ts. */
import type { Container, VolumeMount } from "../../events/pod-spec.ts"
import { labelProblem, portNameProblem, portProblem } from "./names.ts"
import { localPathProblem, validateEnvironment } from "./validate-environment.ts"
import { validateLifecycle, validateProbe, validateRestartRules, validateStopSignal } from "./validate-lifecycle.ts"
import { validateResources } from "./validate-resources.ts"
import { validateSecurity } from "./validate-security.ts"
import type { Complain, WrittenPod, WrittenVolume } from "./written.ts"

type Written = Partial<Container>
type Spec = NonNullable<WrittenPod["spec"]>

const probeFields = ["livenessProbe", "readinessProbe", "startupProbe"] as const
const onlyForSidecars = "is not allowed for an init container without restartPolicy Always"

/** `volumes`: the names that mounts may use. */
export const validateContainers = (spec: Spec, volumes: ReadonlySet<string>, complain: Complain): void => {
  const emptyDirs = new Set(
    (spec.volumes ?? []).filter(isEmptyDir).flatMap(({ name }) => (name === undefined ? [] : [name]))
  )
  if ((spec.containers ?? []).length === 0) complain("spec.containers", "needs at least one container")
  const names = new Set<string>()
  const hostPorts = new Set<string>()
  const grace = spec.terminationGracePeriodSeconds ?? 30
  for (const [list, containers] of [
    ["initContainers", spec.initContainers ?? []],
    ["containers", spec.containers ?? []],
    ["ephemeralContainers", (spec.ephemeralContainers ?? []) as ReadonlyArray<Written>]
  ] as const) {
    for (const [i, container] of containers.entries()) {
      const path = `spec.${list}[${i}]`
      validateName(container, path, names, complain)
      validateImage(container, path, complain)
      const runsOn = list === "containers" || container.restartPolicy === "Always"
      validatePorts(container, path, spec.hostNetwork === true, runsOn ? hostPorts : undefined, complain)
      validateEnvironment(container, path, emptyDirs, complain)
      validateMounts(container, path, volumes, complain)
      if (list === "ephemeralContainers") refuseSubPaths(container, path, complain)
      validateResources(container, path, spec, complain)
      if (container.securityContext !== undefined) {
        validateSecurity(container.securityContext, spec, `${path}.securityContext`, complain)
      }
      for (const field of probeFields) {
        const probe = container[field]
        if (probe === undefined) continue
        if (!runsOn) complain(`${path}.${field}`, onlyForSidecars)
        else validateProbe(probe, field, `${path}.${field}`, complain)
      }
      if (container.lifecycle !== undefined) {
        if (!runsOn) complain(`${path}.lifecycle`, onlyForSidecars)
        else {
          validateLifecycle(container.lifecycle, `${path}.lifecycle`, grace, complain)
          validateStopSignal(container.lifecycle.stopSignal, spec.os?.name, `${path}.lifecycle.stopSignal`, complain)
        }
      }
      validateRestartRules(container, path, complain)
    }
  }
  validateTargets(spec, complain)
}

/** `targetContainerName` names a container that the pod has from the start. */
const validateTargets = (spec: Spec, complain: Complain): void => {
  const names = new Set([...(spec.initContainers ?? []), ...(spec.containers ?? [])].map(({ name }) => name))
  for (const [i, { targetContainerName: target }] of (spec.ephemeralContainers ?? []).entries()) {
    if (target === undefined || target === "" || names.has(target)) continue
    complain(
      `spec.ephemeralContainers[${i}].targetContainerName`,
      `the pod has no container ${JSON.stringify(target.slice(0, 60))}`
    )
  }
}

const validateName = ({ name }: Written, path: string, names: Set<string>, complain: Complain): void => {
  const wrong = name === undefined ? "is missing" : labelProblem(name)
  if (wrong !== undefined) complain(`${path}.name`, wrong)
  else if (names.has(name!)) complain(`${path}.name`, `another container is called ${JSON.stringify(name)} too`)
  if (name !== undefined) names.add(name)
}

const validateImage = ({ image }: Written, path: string, complain: Complain): void => {
  if (image === undefined || image === "") complain(`${path}.image`, "is missing")
  else if (image.trim() !== image) complain(`${path}.image`, "must not begin or end with a space")
}

/** `hostPorts`: what the pod's other containers take on the host; init containers that end do not compete. */
const validatePorts = (
  container: Written,
  path: string,
  hostNetwork: boolean,
  hostPorts: Set<string> | undefined,
  complain: Complain
): void => {
  const names = new Set<string>()
  for (const [i, port] of (container.ports ?? []).entries()) {
    const at = `${path}.ports[${i}]`
    if (port.containerPort === undefined) complain(`${at}.containerPort`, "is missing")
    else check(`${at}.containerPort`, portProblem(port.containerPort), complain)
    if (port.name !== undefined && port.name !== "") {
      check(`${at}.name`, portNameProblem(port.name), complain)
      if (names.has(port.name)) complain(`${at}.name`, `another port is called ${JSON.stringify(port.name)} too`)
      names.add(port.name)
    }
    if (port.hostPort === undefined || port.hostPort === 0) continue
    check(`${at}.hostPort`, portProblem(port.hostPort), complain)
    if (hostNetwork && port.hostPort !== port.containerPort) {
      complain(`${at}.hostPort`, "must equal containerPort on the host's network")
    }
    const key = `${port.hostIP ?? ""}/${port.protocol ?? "TCP"}/${port.hostPort}`
    if (hostPorts?.has(key) === true)
      complain(`${at}.hostPort`, `${port.hostPort} is taken by another port of this pod`)
    hostPorts?.add(key)
  }
}

const validateMounts = (container: Written, path: string, volumes: ReadonlySet<string>, complain: Complain): void => {
  const paths = new Set<string>()
  for (const [i, mount] of (container.volumeMounts ?? []).entries()) {
    const at = `${path}.volumeMounts[${i}]`
    if (mount.name === undefined || mount.name === "") complain(`${at}.name`, "is missing")
    else if (!volumes.has(mount.name)) complain(`${at}.name`, `the pod has no volume ${JSON.stringify(mount.name)}`)
    if (mount.mountPath === undefined || mount.mountPath === "") complain(`${at}.mountPath`, "is missing")
    else if (!mount.mountPath.startsWith("/")) complain(`${at}.mountPath`, "must be an absolute path")
    else if (paths.has(mount.mountPath)) complain(`${at}.mountPath`, `${mount.mountPath} is mounted twice`)
    if (mount.mountPath !== undefined) paths.add(mount.mountPath)
    if (mount.mountPropagation === "Bidirectional" && container.securityContext?.privileged !== true) {
      complain(`${at}.mountPropagation`, "Bidirectional is for privileged containers only")
    }
    validateSubPath(mount, at, complain)
    validateRecursiveReadOnly(mount, at, complain)
  }
}

type Mount = Partial<VolumeMount>

const validateSubPath = ({ subPath = "", subPathExpr = "" }: Mount, path: string, complain: Complain): void => {
  if (subPath !== "") check(`${path}.subPath`, localPathProblem(subPath), complain)
  if (subPathExpr === "") return
  check(`${path}.subPathExpr`, localPathProblem(subPathExpr), complain)
  if (subPath !== "") complain(`${path}.subPathExpr`, "is not allowed beside a subPath")
}

/** An ephemeral container may look at a volume, but only at the whole of it (ValidateEphemeralContainers). */
const refuseSubPaths = ({ volumeMounts = [] }: Written, path: string, complain: Complain): void => {
  for (const [i, mount] of volumeMounts.entries()) {
    for (const field of ["subPath", "subPathExpr"] as const)
      if ((mount[field] ?? "") !== "")
        complain(`${path}.volumeMounts[${i}].${field}`, "is not allowed for an ephemeral container")
  }
}

/** KEP-3857, validateMountRecursiveReadOnly. */
const validateRecursiveReadOnly = (mount: Mount, path: string, complain: Complain): void => {
  const at = `${path}.recursiveReadOnly`
  if ((mount.recursiveReadOnly ?? "Disabled") === "Disabled") return
  if (mount.readOnly !== true) complain(at, "is for mounts that are readOnly only")
  if ((mount.mountPropagation ?? "None") !== "None") complain(at, "is for mounts without mountPropagation only")
}

/** A volume that names no source is one too. */
const isEmptyDir = ({ name: _, ...source }: WrittenVolume): boolean =>
  source.emptyDir !== undefined || Object.keys(source).length === 0

const check = (field: string, wrong: string | undefined, complain: Complain): void => {
  if (wrong !== undefined) complain(field, wrong)
}
