/** A private system bus with a logind of our own on it, for tests: the real bus and its protocol, only the machine is not shut down. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** Debian's, whatever else is called python3 here: it has the packages. */
const python = "/usr/bin/python3"

/** What this machine lacks for it; undefined: nothing. */
export const logindLack = (): string | undefined => {
  if (spawnSync("dbus-daemon", ["--version"]).status !== 0) return "there is no dbus-daemon (Debian package dbus)"
  const modules = spawnSync(python, ["-c", "import dbus; from gi.repository import GLib"])
  return modules.status === 0 ? undefined : `${python} has no modules dbus and gi (python3-dbus, python3-gi)`
}

const configuration = (socket: string): string => `<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
`

export interface LabLogind {
  /** For DBUS_SYSTEM_BUS_ADDRESS. */
  readonly address: string
  /** What it has said so far: `inhibited shutdown chronode delay`, `released`. */
  readonly said: () => ReadonlyArray<string>
  /** Answers when it has said this so many times; fails after ten seconds. */
  readonly heard: (line: string, times?: number) => Promise<void>
  readonly prepare: (active: boolean) => void
  readonly stop: () => Promise<void>
}

const ended = (child: ChildProcess): Promise<void> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once("exit", () => resolve()))

/** Milliseconds that anything here may take. */
const patience = 10_000

const until = async (what: string, holds: () => boolean): Promise<void> => {
  const begun = Date.now()
  while (!holds()) {
    if (Date.now() - begun > patience) throw new Error(`logind of the lab: ${what} did not come`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** `delayMax`: seconds that it would wait at shutdown. */
export const startLogind = async (delayMax: number): Promise<LabLogind> => {
  const directory = mkdtempSync(join(tmpdir(), "chronode-logind-"))
  const address = `unix:path=${join(directory, "bus")}`
  writeFileSync(join(directory, "bus.conf"), configuration(join(directory, "bus")))
  const bus = spawn("dbus-daemon", ["--nofork", "--print-address=1", `--config-file=${join(directory, "bus.conf")}`], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  let told = ""
  bus.stdout.on("data", (piece: Buffer) => {
    told += piece.toString()
  })
  await until("the bus", () => told.includes("\n"))
  const script = fileURLToPath(new URL("fake-logind.py", import.meta.url))
  const fake = spawn(python, [script, String(delayMax * 1_000_000)], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: address }
  })
  let output = ""
  fake.stdout.on("data", (piece: Buffer) => {
    output += piece.toString()
  })
  const said = (): ReadonlyArray<string> => output.split("\n").slice(0, -1)
  const heard = (line: string, times = 1) =>
    until(`${JSON.stringify(line)} × ${times}`, () => said().filter((one) => one === line).length >= times)
  await heard("ready")
  return {
    address,
    said,
    heard,
    prepare: (active) => {
      fake.stdin.write(active ? "prepare\n" : "cancel\n")
    },
    stop: async () => {
      fake.kill()
      bus.kill()
      await Promise.all([ended(fake), ended(bus)])
      rmSync(directory, { recursive: true, force: true })
    }
  }
}
