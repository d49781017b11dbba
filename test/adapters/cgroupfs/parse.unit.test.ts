/** Contents of the kernel's files: real ones, and any bytes at all. */
import assert from "node:assert/strict"
import { Buffer } from "node:buffer"
import { describe, it } from "node:test"
import {
  blkio,
  count,
  diskStats,
  interfaces,
  ioStat,
  keyed,
  limit,
  maxCount,
  maxDevices,
  pressure,
  processIds,
  scanner,
  threadsOf
} from "../../../src/adapters/cgroupfs/parse.ts"
import { seededRandom } from "../../support/random.ts"

const bytes = (text: string): readonly [Buffer, number] => [
  Buffer.from(text, "latin1"),
  Buffer.byteLength(text, "latin1")
]

describe("a file of one number", () => {
  it("is a count, or a limit, where max and v1's largest number of pages are none", () => {
    assert.equal(count(...bytes("0\n")), 0)
    assert.equal(count(...bytes("1048576\n")), 1_048_576)
    assert.equal(count(...bytes("max\n")), undefined)
    assert.equal(count(...bytes("")), undefined)
    assert.equal(limit(...bytes("9223372036854771712\n")), undefined)
    assert.equal(limit(...bytes("67108864\n")), 67_108_864)
  })

  it("takes no more than a counter of 64 bits, and numbers beyond 2^53 as near as a double comes", () => {
    assert.equal(count(...bytes("18446744073709551615")), maxCount)
    assert.equal(count(...bytes("9".repeat(500))), maxCount)
    // CPU time in nanoseconds gets there in 104 days of one core: it must go on counting.
    assert.ok(Math.abs(count(...bytes("90071992547409920"))! - 10 * 2 ** 53) <= 16)
  })
})

describe("lines of keys and values", () => {
  it("are found in any order, by whole keys, and only with a number", () => {
    const scan = scanner(["anon", "file", "file_mapped", "inactive_file", "gone"])
    const values = [...scan("anon 1\nfile 2\nkernel 3\nfile_mapped 4\ninactive_file 5\n")]
    assert.deepEqual(values, [1, 2, 4, 5, -1])
    assert.deepEqual([...scan("inactive_file 5\nfile_mapped x\nfile 2\nanon 1")], [1, 2, -1, 5, -1])
    assert.deepEqual([...scan("")], [-1, -1, -1, -1, -1])
    assert.deepEqual(
      [...scanner(["MemTotal", "Inactive(file)"], ":")("MemTotal:  24684092 kB\nInactive(file): 7 kB\n")],
      [24_684_092, 7]
    )
    assert.deepEqual(keyed("low 0\nhigh 2\noom_kill 3\n\nx y\n"), { low: 0, high: 2, oom_kill: 3 })
  })
})

describe("pressure", () => {
  const some = "some avg10=0.35 avg60=12.81 avg300=4.18 total=12282333210\n"
  it("has shares in percent and a total in microseconds", () => {
    const found = pressure(...bytes(`${some}full avg10=0.00 avg60=100.00 avg300=0.10 total=7\n`))!
    assert.equal(found.some.total, 12_282_333_210)
    assert.ok(Math.abs(found.some.avg60 - 12.81) < 1e-9)
    assert.equal(found.full.avg60, 100)
    assert.equal(found.full.total, 7)
  })

  it("may be without full, and absent", () => {
    assert.equal(pressure(...bytes(some))!.full.total, 0)
    for (const text of ["", "s", "some", "some avg10=1 avg60=2", "full avg10=0.00 avg60=0.00 avg300=0.00 total=7"]) {
      assert.equal(pressure(...bytes(text)), undefined, text)
    }
  })
})

describe("devices", () => {
  it("of v2 have bytes and operations in one line", () => {
    const text =
      "259:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n254:0 \n(unknown) rbytes=1\n8:16 rbytes=5\n"
    assert.deepEqual(ioStat(text), [
      { device: "259:0", readBytes: 4096, writeBytes: 8192, reads: 1, writes: 2 },
      { device: "254:0", readBytes: 0, writeBytes: 0, reads: 0, writes: 0 },
      { device: "8:16", readBytes: 5, writeBytes: 0, reads: 0, writes: 0 }
    ])
  })

  it("of v1 have a line each", () => {
    const lines = (read: number, write: number) =>
      `8:0 Read ${read}\n8:0 Write ${write}\n8:0 Sync 1\n8:0 Total ${read + write}\nTotal ${read + write}\n`
    assert.deepEqual(blkio(lines(4096, 8192), lines(1, 2)), [
      { device: "8:0", readBytes: 4096, writeBytes: 8192, reads: 1, writes: 2 }
    ])
    assert.deepEqual(blkio("Total 0\n", "Total 0\n"), [])
  })

  it("of the node are in sectors of 512 bytes", () => {
    const text =
      "   7       0 loop0 1 0 8 0 1 0 8 0 0 0 0\n 254       0 vda 118321 40330 9302610 33403 3412969 1705604 138434896 18 0 4 2\n 254 1 vda1 1\n"
    assert.deepEqual(
      diskStats(text, (name) => name === "vda"),
      [
        {
          device: "254:0",
          readBytes: 9_302_610 * 512,
          writeBytes: 138_434_896 * 512,
          reads: 118_321,
          writes: 3_412_969
        }
      ]
    )
  })
})

describe("interfaces of a network namespace", () => {
  it("are read below two lines of headings, also where a name has a colon or no space follows it", () => {
    const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
eth0:1:1296 16 1 2 0 0 0 0 1016 12 3 4 0 0 0 0
`
    assert.deepEqual(
      interfaces(text).map(({ name }) => name),
      ["lo", "eth0:1"]
    )
    assert.deepEqual(interfaces(text)[1], {
      name: "eth0:1",
      ...{ rxBytes: 1296, rxPackets: 16, rxErrors: 1, rxDropped: 2 },
      ...{ txBytes: 1016, txPackets: 12, txErrors: 3, txDropped: 4 }
    })
  })
})

describe("what is left of /proc", () => {
  it("tells of threads and processes", () => {
    assert.equal(threadsOf("0.00 0.55 1.41 1/93 4857\n"), 93)
    assert.equal(threadsOf(""), undefined)
    assert.deepEqual(processIds("12\n0\n345\n\nx\n"), [12, 345])
  })
})

describe("any bytes at all", () => {
  const samples = [
    "some avg10=0.35 avg60=0.81 avg300=4.18 total=12282333210\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    "259:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n",
    "8:0 Read 5\n8:0 Write 6\nTotal 11\n",
    "anon 1\nfile 2\ninactive_file 18446744073709551615\n",
    " 254       0 vda 118321 40330 9302610 33403 3412969 1705604 138434896 18 0 4 2\n",
    "eth0: 1296 16 0 0 0 0 0 0 1016 12 0 0 0 0 0 0\n",
    "0.00 0.55 1.41 1/93 4857\n",
    "max\n"
  ]
  const numbersIn = (value: unknown): ReadonlyArray<number> =>
    typeof value === "number"
      ? [value]
      : value instanceof Float64Array
        ? [...value]
        : typeof value === "object" && value !== null
          ? Object.values(value).flatMap(numbersIn)
          : []

  it("throw nothing and lead to no number that is none", () => {
    const random = seededRandom("files of the kernel")
    const scan = scanner(["anon", "file", "inactive_file"])
    for (let round = 0; round < 20_000; round++) {
      const damaged = Buffer.from(random.pick(samples).repeat(random.int(0, 2)), "latin1")
      for (let k = random.int(0, 8); k > 0 && damaged.length > 0; k--) {
        damaged[random.int(0, damaged.length - 1)] = random.chance(0.3) ? random.int(0x30, 0x39) : random.int(0, 255)
      }
      const cut = damaged.subarray(0, random.int(0, damaged.length))
      const any = random.chance(0.2)
        ? Buffer.from(Array.from({ length: random.int(0, 60) }, () => random.int(0, 255)))
        : cut
      const text = any.toString("latin1")
      const found = [
        count(any, any.length),
        limit(any, any.length),
        pressure(any, any.length),
        scan(text),
        keyed(text),
        ioStat(text),
        blkio(text, text),
        diskStats(text, () => true),
        interfaces(text),
        threadsOf(text),
        processIds(text)
      ]
      for (const number of found.flatMap(numbersIn)) {
        assert.ok(
          Number.isFinite(number) && number >= -1 && number <= maxCount * 512,
          `${number} of ${JSON.stringify(text)}`
        )
      }
    }
  })

  it("are bounded by the number of devices that are taken", () => {
    const many = Array.from({ length: 5_000 }, (_, k) => `${k}:0 rbytes=1`).join("\n")
    assert.ok(ioStat(many).length <= maxDevices)
    assert.ok(blkio(many.replaceAll(" rbytes=1", " Read 1"), "").length <= maxDevices)
    assert.ok(diskStats(many.replaceAll(" rbytes=1", " 0 sd 1 1 1 1 1 1 1 1 1"), () => true).length <= maxDevices)
  })
})
