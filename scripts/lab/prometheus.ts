/**
 * A private Prometheus for tests: Debian's program on a port of 127.0.0.1, with its data below one directory, scraping what it
 * is told to. The package's own service has nothing to do with it.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { freePort } from "./free-port.ts"

export interface ScrapeJob {
  readonly name: string
  /** `127.0.0.1:10250` */
  readonly target: string
  readonly path: string
  /** Over TLS, whose certificate is not checked: it is the node's own. */
  readonly tls?: boolean
  readonly bearerToken?: string
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: number
}

export interface LabPrometheus {
  /** The value of an instant query's vector, as it is now. */
  readonly query: (promql: string) => Promise<ReadonlyArray<Sample>>
  /** Of each job: `up`, or what went wrong with its last scrape. */
  readonly targets: () => Promise<Readonly<Record<string, string>>>
  readonly stop: () => Promise<void>
}

/** Milliseconds. */
const startLimit = 30_000
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

const configuration = (jobs: ReadonlyArray<ScrapeJob>): object => ({
  global: { scrape_interval: "1s", scrape_timeout: "1s" },
  // Its configuration is YAML, of which JSON is a part.
  scrape_configs: jobs.map(({ name, target, path, tls, bearerToken }) => ({
    job_name: name,
    metrics_path: path,
    static_configs: [{ targets: [target] }],
    ...(tls === true ? { scheme: "https", tls_config: { insecure_skip_verify: true } } : {}),
    ...(bearerToken === undefined ? {} : { authorization: { credentials: bearerToken } })
  }))
})

const isOver = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null

export const startPrometheus = async (dir: string, jobs: ReadonlyArray<ScrapeJob>): Promise<LabPrometheus> => {
  await mkdir(dir, { recursive: true })
  const config = join(dir, "prometheus.json")
  await writeFile(config, JSON.stringify(configuration(jobs)))
  const url = `http://127.0.0.1:${await freePort()}`
  const child = spawn(
    "prometheus",
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(dir, "data")}`,
      `--web.listen-address=${new URL(url).host}`,
      "--log.level=error"
    ],
    { stdio: "ignore" }
  )
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  const ask = async (path: string): Promise<{ readonly data: unknown }> => {
    const response = await fetch(`${url}${path}`)
    const body = (await response.json()) as { readonly status: string; readonly error?: string; readonly data: unknown }
    if (body.status !== "success") throw new Error(`prometheus: ${body.error}`)
    return body
  }
  for (const end = Date.now() + startLimit; ; await pause(50)) {
    if (isOver(child)) throw new Error("prometheus ended at once")
    const ready = await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false
    )
    if (ready) break
    if (Date.now() > end) throw new Error(`prometheus does not answer at ${url}`)
  }
  return {
    query: async (promql) => {
      const { data } = await ask(`/api/v1/query?query=${encodeURIComponent(promql)}`)
      const { result } = data as {
        readonly result: ReadonlyArray<{
          readonly metric: Sample["metric"]
          readonly value: readonly [number, string]
        }>
      }
      return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
    },
    targets: async () => {
      const { data } = await ask("/api/v1/targets?state=active")
      const { activeTargets } = data as {
        readonly activeTargets: ReadonlyArray<{
          readonly labels: { readonly job: string }
          readonly health: string
          readonly lastError: string
        }>
      }
      return Object.fromEntries(
        activeTargets.map(({ labels, health, lastError }) => [labels.job, lastError === "" ? health : lastError])
      )
    },
    stop: async () => {
      if (!isOver(child)) child.kill("SIGTERM")
      await ended
    }
  }
}
