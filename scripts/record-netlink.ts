/**
 * Records what this machine's kernel says to the calls of test/adapters/netlink/recorded-calls.ts, as fixtures of the tests:
 *
 *     bun scripts/record-netlink.ts [NAME…]
 *
 * Each call gets a network namespace of its own. Needs root, nft, ip and conntrack. A fixture is recorded anew only when a call
 * changes; the tests hold what is sent against it byte by byte. Those of IPVS need a kernel that has it, and ipvsadm:
 *
 *     bun scripts/lab/vm.ts --results test/adapters/netlink/fixtures -- bun scripts/record-netlink.ts ipvs-listings ipvs-changes
 */
import { execFileSync, spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { release } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { connect } from "../src/adapters/netlink/connection.ts"
import { recorded } from "../src/adapters/netlink/recording.ts"
import { openSocket } from "../src/adapters/netlink/socket.ts"
import { plain, recordedCalls } from "../test/adapters/netlink/recorded-calls.ts"

const root = join(import.meta.dirname, "..")
const inside = "CHRONODE_RECORD_NETLINK"

const record = (name: string): void => {
  const { protocol, setUp, call } = recordedCalls[name]!
  execFileSync("sh", ["-euc", setUp], { stdio: ["ignore", "ignore", "inherit"] })
  const kernel = /^[0-9.]*/.exec(release())?.[0]
  const { transport, exchanges } = recorded(openSocket(protocol))
  const answer = plain(call(connect(transport)))
  transport.close()
  const file = join(root, "test/adapters/netlink/fixtures", `${name}.json`)
  writeFileSync(file, `${JSON.stringify({ kernel, answer, exchanges }, undefined, 2)}\n`)
  console.log(`${file}: ${exchanges.length} exchanges`)
}

const given = process.env[inside]
if (given === undefined) {
  const names =
    process.argv.length > 2
      ? process.argv.slice(2)
      : Object.keys(recordedCalls).filter((name) => !name.startsWith("ipvs-"))
  for (const name of names) {
    if (recordedCalls[name] === undefined) throw new Error(`no call ${name}; there are ${Object.keys(recordedCalls)}`)
    const argv = [join(root, "scripts/test/own-netns.sh"), process.execPath, import.meta.filename]
    const { status } = spawnSync("sh", argv, { stdio: "inherit", env: { ...process.env, [inside]: name } })
    if (status !== 0) process.exit(status ?? 1)
  }
  execFileSync(join(root, "node_modules/.bin/biome"), ["format", "--write", "test/adapters/netlink/fixtures"], {
    cwd: root,
    stdio: "inherit"
  })
} else {
  record(given)
}
