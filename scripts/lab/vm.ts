/**
 * A throw-away virtual machine for tests that need another kernel: cgroup v2 alone, IPVS, nftables, dummy devices. It
 * boots Debian's kernel (scripts/lab/kernel.sh) in QEMU in a few seconds, sees this machine's files at the same paths,
 * and keeps what it writes to itself, but for one folder. It has no network but its own loopback. JavaScript runs about
 * ten times slower in it: few processes that live long.
 *
 *   bun scripts/lab/vm.ts [--seconds N] [--results DIR] -- COMMAND [ARGUMENT…]      exit code: the command's; 125: no machine
 */
import { type ChildProcess, spawn } from "node:child_process"
import { accessSync, constants, existsSync } from "node:fs"
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import process from "node:process"
import { setTimeout as pause } from "node:timers/promises"
import { parseArgs } from "node:util"
import { buildInitramfs, kernelDir } from "./initramfs.ts"

export interface VmCommand {
  readonly argv: ReadonlyArray<string>
  /** Default: this process's. */
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** A folder of the host that is writable in there too, at the same path; made if absent. */
  readonly results?: string
  /** Milliseconds from power on to power off. */
  readonly limit: number
  /** MiB, of which a part is what is written to files; default 1536. */
  readonly memory?: number
  /** Told what the command writes, as it comes. */
  readonly onOutput?: (text: string) => void
}

export interface VmOutcome {
  /** The command's; undefined when the machine ended before it did. */
  readonly code: number | undefined
  readonly timedOut: boolean
  /** What the command wrote, to both streams. */
  readonly output: string
  /** What the kernel wrote. */
  readonly console: string
  readonly milliseconds: number
}

type Accelerator = "kvm" | "tcg"

const qemu = "qemu-system-x86_64"
const defaultMemory = 1536
/** Milliseconds: between looks at the output; for the trial of KVM, which boots in less than one second where it works. */
const lookPause = 250
const probeLimit = 6_000
/** How long QEMU may take to end after SIGTERM. Its own limit ends it where this process was killed. */
const killGrace = 2_000

const pathOf = (program: string): string | undefined =>
  [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"]
    .map((dir) => join(dir, program))
    .find((path) => existsSync(path))

/** Why no machine can be booted here, or undefined. */
export const whyNoVm = (): string | undefined => {
  if (process.platform !== "linux" || process.arch !== "x64") return "needs Linux on x86-64"
  if (process.getuid?.() !== 0) return "needs root, to share all files with the virtual machine"
  if (pathOf(qemu) === undefined) return `needs ${qemu} (scripts/lab/packages.sh --tests installs it)`
  if (!existsSync(join(kernelDir, "vmlinuz"))) return "needs Debian's kernel: sh scripts/lab/kernel.sh"
  return undefined
}

const exited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null
/** By number: Deno's `child.kill` does nothing after its first signal. */
const signal = (child: ChildProcess, name: NodeJS.Signals) => {
  if (child.pid !== undefined && !exited(child)) process.kill(child.pid, name)
}

interface Machine {
  readonly accelerator: Accelerator
  readonly kernelWords: string
  readonly initramfs: string
  readonly consoleLog: string
  readonly memory: number
  /** Folders that it sees, by their mount tags. */
  readonly shares: Readonly<Record<string, { readonly path: string; readonly options: string }>>
  readonly limit: number
}

const running = new Set<ChildProcess>()

/** Ends all machines at once, for the case that what runs them is stopped. */
export const stopMachines = (): void => {
  for (const child of running) signal(child, "SIGTERM")
}

/** Answers the running QEMU and what it says itself. */
const powerOn = (machine: Machine) => {
  const processor =
    // Several threads of TCG, or newer processors, have hung in the start of a container.
    machine.accelerator === "kvm"
      ? ["-accel", "kvm", "-cpu", "host", "-smp", "2"]
      : ["-accel", "tcg,thread=single", "-cpu", "Nehalem", "-smp", "1"]
  const shares = Object.entries(machine.shares).flatMap(([tag, { path, options }]) => [
    "-virtfs",
    `local,path=${path.replaceAll(",", ",,")},mount_tag=${tag},${options}`
  ])
  const seconds = String(Math.ceil((machine.limit + killGrace) / 1000))
  const child = spawn(
    "timeout",
    [
      ...["--foreground", "-k", "2", seconds, pathOf(qemu)!, ...processor, "-m", String(machine.memory)],
      ...[
        "-nodefaults",
        "-no-reboot",
        "-display",
        "none",
        "-serial",
        `file:${machine.consoleLog.replaceAll(",", ",,")}`
      ],
      ...["-kernel", join(kernelDir, "vmlinuz"), "-initrd", machine.initramfs],
      ...["-append", `console=ttyS0 panic=-1 quiet ${machine.kernelWords}`.trim(), ...shares]
    ],
    { stdio: ["ignore", "ignore", "pipe"] }
  )
  running.add(child)
  child.on("exit", () => running.delete(child))
  let said = ""
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said = (said + text).slice(-4_000)
  })
  child.on("error", (error) => {
    said += `${error.message}\n`
  })
  return { child, said: () => said }
}

const untilExited = async (child: ChildProcess, deadline: number, look: () => Promise<void>): Promise<boolean> => {
  while (!exited(child) && child.pid !== undefined) {
    await look()
    if (Date.now() > deadline) return false
    await pause(lookPause)
  }
  return true
}

const powerOff = async (child: ChildProcess) => {
  signal(child, "SIGTERM")
  if (!(await untilExited(child, Date.now() + killGrace, async () => undefined))) signal(child, "SIGKILL")
}

const canUse = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

/**
 * KVM where it boots a machine within seconds: /dev/kvm may be there and hang. Asked once for each boot of the host.
 * CHRONODE_VM_ACCEL=tcg or kvm decides without asking.
 */
const chooseAccelerator = async (dir: string, initramfs: string): Promise<Accelerator> => {
  const said = process.env.CHRONODE_VM_ACCEL
  if (said === "kvm" || said === "tcg") return said
  if (said !== undefined) throw new Error(`CHRONODE_VM_ACCEL is '${said}'; it can be kvm or tcg`)
  if (!canUse("/dev/kvm")) return "tcg"
  const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim()
  const remembered = join(kernelDir, "kvm")
  const [sameBoot, answer] = (await readFile(remembered, "utf8").catch(() => "")).split(" ")
  if (sameBoot === boot && (answer === "kvm" || answer === "tcg")) return answer
  const consoleLog = join(dir, "probe.log")
  const { child } = powerOn({
    ...{ accelerator: "kvm", kernelWords: "vm-probe", initramfs, consoleLog, memory: 256 },
    ...{ shares: {}, limit: probeLimit }
  })
  const ended = await untilExited(child, Date.now() + probeLimit, async () => undefined)
  await powerOff(child)
  const booted = ended && (await readFile(consoleLog, "utf8").catch(() => "")).includes("vm-init: booted")
  const found: Accelerator = booted ? "kvm" : "tcg"
  await writeFile(remembered, `${boot} ${found}`)
  return found
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`

/** What runs after vm-init.sh, in the host's files. /run/vm is the machine's own folder on the host. */
const startScript = (command: VmCommand, results: string | undefined): string => `
export HOME=/root TMPDIR=/run/tmp PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
${results === undefined ? "" : `mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000 given ${quoted(results)}`}
(
${Object.entries(command.env ?? {})
  .map(([name, value]) => `  export ${name}=${quoted(value)}`)
  .join("\n")}
  cd ${quoted(command.cwd ?? process.cwd())} && exec ${command.argv.map(quoted).join(" ")}
) </dev/null >/run/vm/output 2>&1
echo $? >/run/vm/code
exec busybox poweroff -f
`

/** Boots a machine, runs one command in it, and brings back what came of it. Machines know nothing of each other. */
export const runInVm = async (command: VmCommand): Promise<VmOutcome> => {
  const missing = whyNoVm()
  if (missing !== undefined) throw new Error(missing)
  const began = performance.now()
  const dir = await mkdtemp(join(tmpdir(), "vm-"))
  try {
    const own = join(dir, "own")
    await mkdir(own)
    if (command.results !== undefined) await mkdir(command.results, { recursive: true })
    const results = command.results === undefined ? undefined : await realpath(command.results)
    const initramfs = join(dir, "initramfs")
    await writeFile(initramfs, await buildInitramfs(startScript(command, results)))
    const accelerator = await chooseAccelerator(dir, initramfs)
    const [outputFile, consoleLog] = [join(own, "output"), join(dir, "console")]
    const writable = (path: string) => ({ path, options: "security_model=none,multidevs=remap" })
    const { child, said } = powerOn({
      ...{ accelerator, kernelWords: "", initramfs, consoleLog, memory: command.memory ?? defaultMemory },
      limit: command.limit,
      shares: {
        host: { path: "/", options: "security_model=passthrough,readonly=on,multidevs=remap" },
        results: writable(own),
        ...(results === undefined ? {} : { given: writable(results) })
      }
    })
    let told = 0
    const look = async () => {
      if (command.onOutput === undefined) return
      const bytes = await readFile(outputFile).catch(() => Buffer.alloc(0))
      if (bytes.length > told) command.onOutput(bytes.subarray(told).toString("utf8"))
      told = bytes.length
    }
    const ended = await untilExited(child, Date.now() + command.limit, look).finally(() => powerOff(child))
    await look()
    const text = (path: string) => readFile(path, "utf8").catch(() => "")
    const code = /^\d+$/.exec((await text(join(own, "code"))).trim())?.[0]
    return {
      code: code === undefined ? undefined : Number(code),
      timedOut: !ended,
      output: await text(outputFile),
      console: `${await text(consoleLog)}${said()}`,
      milliseconds: performance.now() - began
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

const usage = "usage: bun scripts/lab/vm.ts [--seconds N] [--results DIR] -- COMMAND [ARGUMENT…]\n"

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    options: { seconds: { type: "string", default: "600" }, results: { type: "string" } },
    allowPositionals: true
  })
  const limit = Number(values.seconds) * 1000
  if (positionals.length === 0 || !(limit > 0)) {
    process.stderr.write(usage)
    return 125
  }
  const outcome = await runInVm({
    argv: positionals,
    limit,
    ...(values.results === undefined ? {} : { results: values.results }),
    onOutput: (text) => void process.stdout.write(text)
  })
  if (outcome.code !== undefined) return outcome.code
  const why = outcome.timedOut ? `was still at it after ${values.seconds} s` : "ended before the command did"
  process.stderr.write(`vm: the machine ${why}; its console:\n${outcome.console.slice(-3_000)}\n`)
  return 125
}

if (import.meta.main) {
  process.exitCode = await main().catch((error: unknown) => {
    process.stderr.write(`vm: ${error instanceof Error ? error.message : String(error)}\n`)
    return 125
  })
}
