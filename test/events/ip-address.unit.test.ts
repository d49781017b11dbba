import assert from "node:assert/strict"
import { isIP } from "node:net"
import { describe, it } from "node:test"
import {
  canonicalCidr,
  canonicalIp,
  cidrContains,
  formatIp,
  hostPort,
  ipFamilyOf,
  parseCidr,
  parseHostPort,
  parseIp
} from "../../src/events/ip-address.ts"
import { seededRandom } from "../support/random.ts"

describe("an IP address", () => {
  it("has one usual form (RFC 5952)", () => {
    const forms: ReadonlyArray<readonly [string, string | undefined]> = [
      ["10.0.0.1", "10.0.0.1"],
      ["010.000.0.01", "10.0.0.1"],
      ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
      ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
      ["2001:0db8:0000:0000:0000:0000:0000:0000", "2001:db8::"],
      ["::", "::"],
      ["::1", "::1"],
      ["::ffff:10.0.0.1", "10.0.0.1"],
      ["64:ff9b::10.0.0.1", "64:ff9b::a00:1"],
      ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"]
    ]
    for (const [text, usual] of forms) assert.equal(canonicalIp(text), usual, text)
  })

  it("is nothing else", () => {
    const wrong = ["", "10.0.0", "10.0.0.256", "10.0.0.1.1", "1.2.3.4/24", " 10.0.0.1", "10.0.0.0x1", "::1%eth0"]
    for (const text of [...wrong, "1:2:3", ":::", "1::2::3", "12345::", "::10.0.0.1:1", "1:2:3:4:5:6:7:8:9", "[::1]"])
      assert.equal(canonicalIp(text), undefined, text)
  })

  it("is read as it is written, whatever its bytes", () => {
    const { int, chance } = seededRandom("IP addresses")
    for (let i = 0; i < 2000; i++) {
      const family = chance(0.2) ? "IPv4" : "IPv6"
      const bytes = Array.from({ length: family === "IPv4" ? 4 : 16 }, () => (chance(0.6) ? 0 : int(0, 255)))
      const text = formatIp({ family, bytes })
      assert.equal(isIP(text), family === "IPv4" ? 4 : 6, text)
      assert.deepEqual(
        parseIp(text)?.bytes,
        family === "IPv4" || parseIp(text)?.family === "IPv6" ? bytes : bytes.slice(12)
      )
    }
  })

  it("is taken or refused as the runtime does, but for leading zeros and zones", () => {
    const { pick, int } = seededRandom("IP addresses")
    const parts = ["0", "1", "ff", "10", "255", "256", ":", "::", ".", "db8", "10.0.0.1"]
    for (let i = 0; i < 20_000; i++) {
      const text = Array.from({ length: int(1, 12) }, () => pick(parts)).join("")
      if (/(?:^|[.:])0\d*\./.test(text) && /(?:^|[.:])0\d/.test(text)) continue
      assert.equal(ipFamilyOf(text) !== undefined, isIP(text) !== 0, text)
    }
  })
})

describe("a range of addresses", () => {
  it("drops what its prefix does not say", () => {
    assert.equal(canonicalCidr("10.1.2.3/16"), "10.1.0.0/16")
    assert.equal(canonicalCidr("fd00:1:2:3::4/64"), "fd00:1:2:3::/64")
    assert.equal(canonicalCidr("10.1.2.3/0"), "0.0.0.0/0")
    for (const text of ["10.0.0.0", "10.0.0.0/33", "fd00::/129", "10.0.0.0/-1", "10.0.0.0/", "/8", "x/8"])
      assert.equal(canonicalCidr(text), undefined, text)
  })

  it("takes in what begins as it does", () => {
    const holds = (range: string, ip: string) => {
      const [cidr, address] = [parseCidr(range), parseIp(ip)]
      assert.ok(cidr !== undefined && address !== undefined)
      return cidrContains(cidr, address)
    }
    assert.equal(holds("10.96.0.0/12", "10.111.255.255"), true)
    assert.equal(holds("10.96.0.0/12", "10.112.0.0"), false)
    assert.equal(holds("fd00::/8", "fdff::1"), true)
    assert.equal(holds("::/0", "10.0.0.1"), false, "of the other family")
  })
})

describe("an address with a port", () => {
  it("is read as it is written", () => {
    for (const [address, port] of [
      ["10.0.0.1", 80],
      ["fd00::1", 65_535]
    ] as const)
      assert.deepEqual(parseHostPort(hostPort(address, port)), { address, port })
    assert.deepEqual(parseHostPort("[FD00:0::1]:80"), { address: "fd00::1", port: 80 })
    assert.deepEqual(parseHostPort("fd00::1"), { address: "fd00::1" })
    for (const text of ["10.0.0.1:0", "10.0.0.1:65536", "[10.0.0.1]:80", "web:80", ":80", "10.0.0.1:"])
      assert.equal(parseHostPort(text), undefined, text)
  })
})
