/** The private pod network of one lab directory: names and a subnet of its own, so that several labs run side by side. */
import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"

export interface LabNetwork {
  /** CNI network name; also part of every name that is left on the host. */
  readonly name: string
  /** At most 15 bytes (IFNAMSIZ). */
  readonly bridge: string
  readonly subnet: string
}

const run = promisify(execFile)

/** Eight hexadecimal digits that stand for a directory. */
export const tagOf = (dir: string): string => createHash("sha256").update(dir).digest("hex").slice(0, 8)

/** Below which a node of the lab in `dir` makes the cgroups of its pods: never among those of a kubelet of this machine. */
export const cgroupRootOf = (dir: string, node: string): string => `/lab-${tagOf(dir)}-${node}`

// 198.18.0.0/15 is set aside for tests between networks (RFC 2544): nobody routes it. 256 networks of 510 pods.
const subnets = 256
const subnetAt = (index: number): string => `198.${18 + (index >> 7)}.${(index & 127) * 2}.0/23`

const inUse = async (): Promise<string> => (await run("ip", ["-4", "-o", "addr"])).stdout

const chooseSubnet = async (tag: string): Promise<string> => {
  const taken = await inUse()
  const start = Number.parseInt(tag, 16)
  for (let step = 0; step < subnets; step++) {
    const subnet = subnetAt((start + step) % subnets)
    if (!taken.includes(` ${subnet.slice(0, subnet.lastIndexOf("."))}.`)) return subnet
  }
  throw new Error("all lab subnets of 198.18.0.0/15 are in use: `ip link` shows bridges named lab-*")
}

/** Where Debian and everyone else put the CNI plugins. */
export const findPlugins = (): string => {
  const found = ["/usr/lib/cni", "/opt/cni/bin"].find((dir) => existsSync(join(dir, "bridge")))
  if (found === undefined) throw new Error("no CNI plugins on this machine: run `sudo sh scripts/lab/packages.sh`")
  return found
}

/** Writes the CNI configuration into `dir/cni`. A directory that had a network before gets the same one again. */
export const writeNetwork = async (dir: string): Promise<LabNetwork> => {
  const tag = tagOf(dir)
  const remembered = await readFile(join(dir, "subnet"), "utf8").catch(() => undefined)
  const subnet = remembered ?? (await chooseSubnet(tag))
  const network: LabNetwork = { name: `lab-${tag}`, bridge: `lab-${tag}`, subnet }
  await mkdir(join(dir, "cni"), { recursive: true })
  await writeFile(join(dir, "subnet"), subnet)
  await writeFile(
    join(dir, "cni", "10-lab.conflist"),
    JSON.stringify(
      {
        cniVersion: "0.4.0",
        name: network.name,
        plugins: [
          {
            type: "bridge",
            bridge: network.bridge,
            isGateway: true,
            hairpinMode: true,
            ipam: {
              type: "host-local",
              dataDir: join(dir, "ipam"),
              ranges: [[{ subnet }]],
              routes: [{ dst: "0.0.0.0/0" }]
            }
          },
          { type: "portmap", capabilities: { portMappings: true } }
        ]
      },
      undefined,
      2
    )
  )
  return network
}
