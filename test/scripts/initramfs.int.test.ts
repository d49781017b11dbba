import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { describe, it } from "node:test"
import { cpio } from "../../scripts/lab/cpio.ts"
import { findBusybox } from "../../scripts/lab/image.ts"
import { dependenciesOf } from "../../scripts/lab/initramfs.ts"

const busybox = await findBusybox().catch(() => undefined)

describe("the virtual machine's first file system", () => {
  it(
    "is an archive that other programs can read",
    busybox === undefined ? { skip: "needs a static busybox (scripts/lab/packages.sh)" } : {},
    () => {
      const archive = cpio([
        { path: "bin", mode: 0o755 },
        { path: "bin/odd", mode: 0o640, content: Buffer.from("12345") },
        { path: "init", mode: 0o755, content: Buffer.from("#!/bin/sh\n") }
      ])
      const listed = execFileSync(busybox!.path, ["cpio", "-t", "-v"], { input: archive, encoding: "utf8" })
      assert.match(listed, /^drwxr-xr-x .* bin\n-rw-r----- .* 5 .* bin\/odd\n-rwxr-xr-x .* 10 .* init\n/u)
    }
  )
  it("knows what a kernel module depends on", () => {
    const module = (text: string) => Buffer.from(`\x7fELF\0license=GPL\0${text}\0name=x\0`, "latin1")
    assert.deepEqual(dependenciesOf(module("depends=nf-conntrack,libcrc32c")), ["nf_conntrack", "libcrc32c"])
    assert.deepEqual(dependenciesOf(module("depends=")), [])
    assert.deepEqual(dependenciesOf(module("alias=y")), [])
  })
})
