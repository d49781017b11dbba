/** Families of addresses that this machine's kernel has. */
import { readFileSync } from "node:fs"
import type { IpFamily } from "../../events/service-shape.ts"

/** @param proc where the kernel shows its state; another directory in tests */
export const ipFamilies = (proc = "/proc"): ReadonlyArray<IpFamily> => {
  try {
    const isDisabled = readFileSync(`${proc}/sys/net/ipv6/conf/all/disable_ipv6`, "utf8").trim() === "1"
    return isDisabled ? ["IPv4"] : ["IPv4", "IPv6"]
  } catch {
    // A kernel without IPv6 has no such parameter.
    return ["IPv4"]
  }
}
