/** Small sandbox and container configurations, and the few commands that the contract suite runs in them. */
import type { Program } from "../../../src/adapters/cri/memory-model.ts"
import type { ContainerConfig, SandboxConfig } from "../../../src/adapters/cri/port.ts"

export const testImage = "chronode.local/busybox:1"

const namespaceOptions = { network: "POD", pid: "CONTAINER", ipc: "POD" } as const

/** A sandbox of the pod `name`; its uid and cgroup are made of the name too. `root`: where logs go. */
export const sandboxConfig = (name: string, root: string, over: Partial<SandboxConfig> = {}): SandboxConfig => ({
  metadata: { name, uid: `uid-${name}`, namespace: "contract", attempt: 0 },
  hostname: name,
  logDirectory: `${root}/logs/${name}`,
  labels: { "io.kubernetes.pod.name": name, "io.kubernetes.pod.uid": `uid-${name}` },
  annotations: {},
  linux: { cgroupParent: "", securityContext: { namespaceOptions } },
  ...over
})

/** A host's name is its own: none may be given here. */
export const onHostNetwork = (config: SandboxConfig): SandboxConfig => ({
  ...config,
  hostname: "",
  linux: { ...config.linux, securityContext: { namespaceOptions: { ...namespaceOptions, network: "NODE" } } }
})

export const containerConfig = (
  name: string,
  command: ReadonlyArray<string>,
  over: Partial<ContainerConfig> = {}
): ContainerConfig => ({
  metadata: { name, attempt: 0 },
  image: { image: testImage },
  command,
  envs: [],
  mounts: [],
  labels: { "io.kubernetes.container.name": name },
  annotations: {},
  logPath: `${name}/0.log`,
  linux: { resources: { oomScoreAdj: 1_000 }, securityContext: { namespaceOptions } },
  ...over
})

const shell = (script: string): ReadonlyArray<string> => ["/bin/sh", "-c", script]

export const commands = {
  /** As process 1 it has no handler for SIGTERM, so that only SIGKILL ends it. */
  forever: ["/bin/sleep", "100000"],
  /** Ends with 7 on SIGTERM. */
  obedient: shell("trap 'exit 7' TERM; while :; do sleep 1000 & wait; done"),
  exit: (code: number) => shell(`exit ${code}`),
  talk: shell("echo to-out; echo to-err >&2; exit 3"),
  missing: ["/no/such/program"],
  eatMemory: shell("x=a; while :; do x=$x$x; done")
} as const

const same = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean => a.join("\0") === b.join("\0")

/** The same commands for the in-memory runtime. */
export const program = ({ command = [] }: ContainerConfig): Program => {
  const exec: Program["exec"] = (asked) =>
    same(asked, commands.talk)
      ? { stdout: "to-out\n", stderr: "to-err\n", exitCode: 3 }
      : same(asked, commands.forever)
        ? { after: 100_000_000 }
        : same(asked, commands.missing)
          ? { error: 'exec: "/no/such/program": no such file or directory' }
          : { exitCode: 0 }
  if (same(command, commands.missing)) return { startError: 'exec: "/no/such/program": no such file or directory' }
  if (same(command, commands.eatMemory)) return { exits: { after: 20, code: 137, oomKilled: true } }
  if (same(command, commands.obedient)) return { exec, onTerm: { after: 1, code: 7 } }
  const code = /^exit (\d+)$/.exec(command[2] ?? "")?.[1]
  if (code !== undefined) return { exits: { after: 5, code: Number(code) } }
  if (same(command, commands.talk)) return { exits: { after: 5, code: 3 } }
  return { exec, onTerm: "ignore" }
}
