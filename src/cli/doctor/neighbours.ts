/** Checks of the neighbours: the container runtime, its network plugins, NATS. */
import { existsSync, readdirSync } from "node:fs"
import { Effect } from "effect"
import type { NatsOptions } from "../nats-flags.ts"
import type { Neighbours } from "../neighbours.ts"
import { type Check, fail, ok, warn } from "./check.ts"

/** How long one neighbour may take to answer, milliseconds. */
const patience = 5_000

const socketAdvice = (socket: string): string =>
  existsSync(socket.replace(/^unix:\/\//u, ""))
    ? "see that the runtime runs and that its CRI plugin is not disabled (disabled_plugins in /etc/containerd/config.toml)"
    : "install and start containerd (apt-get install containerd; systemctl start containerd), or name its socket with --cri"

/** `networkReady`: what the runtime says; undefined where it does not answer. */
export const checkRuntime = (
  neighbours: Neighbours,
  socket: string
): Effect.Effect<{ readonly checks: ReadonlyArray<Check>; readonly networkReady: boolean | undefined }> =>
  Effect.scoped(
    Effect.gen(function* () {
      const runtime = yield* (yield* Effect.promise(neighbours.openRuntime))({
        endpoint: socket,
        deadlines: { quick: patience }
      })
      const version = yield* runtime.version
      const { conditions } = yield* runtime.status
      const name = `${version.runtimeName} ${version.runtimeVersion}`
      const checks: Array<Check> = [ok("runtime", `${name} at ${socket}`)]
      let networkReady: boolean | undefined
      for (const condition of conditions) {
        if (condition.type === "NetworkReady") networkReady = condition.status
        if (condition.status || condition.type === "NetworkReady") continue
        checks.push(
          fail(
            "runtime",
            `${condition.type} is false: ${condition.message}`,
            "see the runtime's own log (journalctl -u containerd)"
          )
        )
      }
      return { checks, networkReady }
    })
  ).pipe(
    Effect.catch((error) =>
      Effect.succeed({
        checks: [fail("runtime", `no answer at ${socket}: ${error.message}`, socketAdvice(socket))],
        networkReady: undefined
      })
    )
  )

const entries = (directory: string): ReadonlyArray<string> => {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

const usualPluginDirs = ["/opt/cni/bin", "/usr/lib/cni"]
const pluginsOfAnyNetwork = ["loopback", "host-local"]

export const checkNetwork = (
  networkReady: boolean | undefined,
  confDir: string,
  binDir: string | undefined
): ReadonlyArray<Check> => {
  const configurations = entries(confDir).filter((name) => /\.(conf|conflist|json)$/u.test(name))
  const binDirs = binDir === undefined ? usualPluginDirs : [binDir]
  const found = binDirs.find((dir) => pluginsOfAnyNetwork.every((plugin) => existsSync(`${dir}/${plugin}`)))
  const checks: Array<Check> = []
  if (networkReady === true)
    checks.push(
      ok(
        "network",
        `the runtime says it is ready${configurations.length === 0 ? "" : ` (${configurations.join(", ")} in ${confDir})`}`
      )
    )
  else if (configurations.length === 0)
    checks.push(
      fail(
        "network",
        `no CNI configuration in ${confDir}${networkReady === false ? ", and the runtime says that its network is not ready" : ""}`,
        `put one there, e.g. a bridge with host-local addresses; pods with hostNetwork: true run without`
      )
    )
  else
    checks.push(
      (networkReady === false ? fail : warn)(
        "network",
        `${configurations.join(", ")} in ${confDir}${networkReady === false ? ", but the runtime says that its network is not ready" : ""}`,
        "see that the file is valid, that the plugins it names are installed, and that the runtime looks in this directory"
      )
    )
  if (found !== undefined) checks.push(ok("network-plugins", `in ${found}`))
  else if (networkReady !== true)
    checks.push(
      fail(
        "network-plugins",
        `none in ${binDirs.join(" or ")}`,
        "install them (apt-get install containernetworking-plugins)"
      )
    )
  return checks
}

const natsAdvice: Readonly<Record<string, string>> = {
  Unavailable: "start nats-server -js, or name another one with --nats; events wait in the journal (or use --no-nats)",
  TimedOut: "see that nothing between here and the server drops packets",
  AuthorizationViolation: "give credentials: --creds, --nkey, or NATS_USER and NATS_PASSWORD",
  PermissionDenied: "let this user use JetStream: publish and subscribe to $JS.API.> and _INBOX.>",
  JetStreamDisabled: "start the server with JetStream: nats-server -js -sd DIR, or enable it for the account"
}

export const checkNats = (neighbours: Neighbours, options: NatsOptions): Effect.Effect<Check> =>
  Effect.match(
    Effect.flatMap(Effect.promise(neighbours.probeNats), (probe) => probe(options)),
    {
      onSuccess: ({ server, serverVersion }) =>
        ok(
          "nats",
          `nats-server ${serverVersion} at ${server} with JetStream; it fsyncs every 2 minutes unless told otherwise (sync_interval), the journal is what counts`
        ),
      onFailure: (error) =>
        error._tag === "NatsOptionError"
          ? fail("nats", error.message, "mend what it names")
          : fail("nats", `${error.server}: ${error.message}`, natsAdvice[error.reason] ?? "see the server's log")
    }
  )
