/** The part of validation that is about volumes (ValidateVolumes of `pkg/apis/core/validation/validation.go`). */

import { labelProblem } from "./names.ts"
import { quantityNumber } from "./quantity.ts"
import { validateProjected, validateSource } from "./validate-projections.ts"
import type { Complain, WrittenVolume } from "./written.ts"

const hostPathTypes = [
  "",
  "DirectoryOrCreate",
  "Directory",
  "FileOrCreate",
  "File",
  "Socket",
  "CharDevice",
  "BlockDevice"
] as const

const sources = ["emptyDir", "hostPath", "configMap", "secret", "downwardAPI", "projected", "image"] as const

/** Answers the names of the volumes. */
export const validateVolumes = (volumes: ReadonlyArray<WrittenVolume>, complain: Complain): ReadonlySet<string> => {
  const names = new Set<string>()
  for (const [i, volume] of volumes.entries()) {
    const path = `spec.volumes[${i}]`
    const { name, emptyDir, hostPath, configMap, secret, downwardAPI, projected, image } = volume
    const wrong = name === undefined ? "is missing" : labelProblem(name)
    if (wrong !== undefined) complain(`${path}.name`, wrong)
    else if (names.has(name!)) complain(`${path}.name`, `another volume is called ${JSON.stringify(name)} too`)
    if (name !== undefined) names.add(name)
    if (sources.filter((source) => volume[source] !== undefined).length > 1) complain(path, "has more than one source")
    if (emptyDir !== undefined) validateEmptyDir(emptyDir, `${path}.emptyDir`, complain)
    if (hostPath !== undefined) validateHostPath(hostPath, `${path}.hostPath`, complain)
    if (configMap !== undefined) {
      if ((configMap.name ?? "") === "") complain(`${path}.configMap.name`, "is missing")
      validateSource(configMap, `${path}.configMap`, complain)
    }
    if (secret !== undefined) {
      if ((secret.secretName ?? "") === "") complain(`${path}.secret.secretName`, "is missing")
      validateSource(secret, `${path}.secret`, complain)
    }
    if (downwardAPI !== undefined)
      validateSource({ files: downwardAPI.items ?? [], ...mode(downwardAPI) }, `${path}.downwardAPI`, complain)
    if (image !== undefined && (image.reference ?? "") === "") complain(`${path}.image.reference`, "is missing")
    if (projected !== undefined) validateProjected(projected, `${path}.projected`, complain)
  }
  return names
}

const mode = ({ defaultMode }: { readonly defaultMode?: number }) => (defaultMode === undefined ? {} : { defaultMode })

const validateEmptyDir = (source: NonNullable<WrittenVolume["emptyDir"]>, path: string, complain: Complain): void => {
  const { medium = "", sizeLimit } = source
  const [, pageSize] = /^HugePages-(.*)$/u.exec(medium) ?? []
  const isPageSize = pageSize !== undefined && (quantityNumber(pageSize) ?? 0) > 0
  if (!["", "Memory", "HugePages"].includes(medium) && !isPageSize) {
    complain(`${path}.medium`, `must be "", "Memory", "HugePages" or "HugePages-<size>", not ${JSON.stringify(medium)}`)
  }
  if (sizeLimit !== undefined) {
    const limit = quantityNumber(sizeLimit)
    if (limit === undefined || limit < 0) complain(`${path}.sizeLimit`, `${JSON.stringify(sizeLimit)} is no size`)
  }
}

const validateHostPath = (source: NonNullable<WrittenVolume["hostPath"]>, path: string, complain: Complain): void => {
  if (source.path === undefined || source.path === "") complain(`${path}.path`, "is missing")
  else if (!source.path.startsWith("/")) complain(`${path}.path`, "must be an absolute path")
  else if (source.path.split("/").includes("..")) complain(`${path}.path`, 'must not contain ".."')
  else if (source.path.includes("\0")) complain(`${path}.path`, "must not contain NUL")
  if (source.type !== undefined && !(hostPathTypes as ReadonlyArray<string>).includes(source.type)) {
    complain(`${path}.type`, `must be one of ${hostPathTypes.slice(1).join(", ")} or empty`)
  }
}
