/** /flagz, /statusz and what is not served here: pages for people (`component-base/zpages`). */
import process from "node:process"
import { Clock, Effect } from "effect"
import { type Route, refusal } from "../../adapters/api/port.ts"
import { runtimeName } from "../../adapters/host/runtime.ts"
import { version } from "../../cli/version.ts"
import { type ApiWorld, type Routes, text } from "./route.ts"

const warning =
  "Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only."

const page = (name: string, lines: ReadonlyArray<string>) =>
  text(`\nchronode ${name}\n${warning}\n\n${lines.join("\n")}\n`)

/** Settings that flags have, as they are in force; nothing that is secret or leads to it. */
const settings = ({ options }: ApiWorld): Readonly<Record<string, string | number | boolean | undefined>> => ({
  "api-port": options.kubelet.enableServer ? options.kubelet.port : 0,
  "cgroup-root": options.kubelet.cgroupRoot,
  cri: options.cri,
  "data-dir": options.dataDir,
  durability: options.durability,
  "log-format": options.logFormat,
  "log-level": options.logLevel,
  manifests: options.manifests ?? "",
  nats: options.nats !== undefined,
  "node-name": options.nodeName,
  "pod-logs-dir": options.podLogsDir,
  recording: options.recording,
  services: options.proxy?.services ?? ""
})

const uptime = (milliseconds: number): string => {
  const seconds = Math.floor(milliseconds / 1000)
  const two = (value: number) => String(value).padStart(2, "0")
  return `${Math.floor(seconds / 3600)} hr ${two(Math.floor(seconds / 60) % 60)} min ${two(seconds % 60)} sec`
}

/** @param paths all that are served, without their parts */
export const pageRoutes =
  (paths: () => ReadonlyArray<string>): Routes =>
  (world) => [
    {
      methods: ["GET"],
      path: "/flagz",
      answer: () =>
        Effect.sync(() =>
          page(
            "flagz",
            Object.entries(settings(world)).map(([name, value]) => `${name}=${value ?? ""}`)
          )
        )
    },
    {
      methods: ["GET"],
      path: "/statusz",
      answer: () =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const up = process.uptime() * 1000
          return page("statusz", [
            `Started: ${new Date(now - up).toUTCString()}`,
            `Up: ${uptime(up)}`,
            `Runtime: ${runtimeName()}`,
            `Binary version: ${version}`,
            `Paths: ${paths().join(" ")}`
          ])
        })
    },
    notServed("/debug/{path*}", 404, "the agent has no profiler and no flags that change while it runs")
  ]

const allMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

/** A path that says why there is nothing. */
export const notServed = (path: string, status: number, reason: string): Route => ({
  methods: allMethods,
  path,
  answer: () => Effect.fail(refusal(status, `${reason}\n`))
})
