/** The configuration of credential providers: what kubelet takes is taken, what is wrong is named with its line. */
import assert from "node:assert/strict"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, it } from "node:test"
import { CommandFailed, UsageError } from "../../../src/cli/exit.ts"
import { readCredentialProviders } from "../../../src/cli/run/credential-providers.ts"
import { withTemporaryDirectory } from "../../support/temporary-directory.ts"

const header = "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n"
const provider = (name: string, more = ""): string =>
  `- name: ${name}\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  matchImages: ["*.r.io"]\n  defaultCacheDuration: 12h\n${more}`

/** Plugins `a` and `b`, and the files that are given. */
const within = (files: Readonly<Record<string, string>>, use: (dir: string) => void | Promise<void>) =>
  withTemporaryDirectory(async (dir) => {
    await mkdir(join(dir, "bin"))
    for (const name of ["a", "b"]) await writeFile(join(dir, "bin", name), "#!/bin/sh\n", { mode: 0o755 })
    await writeFile(join(dir, "bin", "plain"), "no program", { mode: 0o644 })
    await mkdir(join(dir, "conf"))
    for (const [name, text] of Object.entries(files)) await writeFile(join(dir, "conf", name), text)
    await use(dir)
  })
const read = (dir: string, file = "conf") =>
  readCredentialProviders({ config: join(dir, file), binDir: join(dir, "bin") })
const fault = (dir: string, file?: string): string => {
  try {
    read(dir, file)
  } catch (error) {
    assert.ok(error instanceof CommandFailed)
    return error.message.replaceAll(dir, "")
  }
  return assert.fail("it was accepted")
}

describe("the configuration of credential providers", () => {
  it("is none where neither flag is given, and needs both", () => {
    assert.deepEqual(readCredentialProviders({ config: undefined, binDir: undefined }), { providers: [], remarks: [] })
    assert.throws(() => readCredentialProviders({ config: "x", binDir: undefined }), UsageError)
    assert.throws(() => readCredentialProviders({ config: undefined, binDir: "x" }), UsageError)
  })

  it("is a file", () =>
    within(
      { "c.yaml": `${header}${provider("a", "  args: [get]\n  env: [{name: REGION, value: eu}, {name: EMPTY}]\n")}` },
      (dir) => {
        assert.deepEqual(read(dir, "conf/c.yaml"), {
          providers: [
            {
              name: "a",
              program: join(dir, "bin", "a"),
              apiVersion: "credentialprovider.kubelet.k8s.io/v1",
              matchImages: ["*.r.io"],
              defaultCacheDuration: 43_200_000,
              args: ["get"],
              env: [
                { name: "REGION", value: "eu" },
                { name: "EMPTY", value: "" }
              ]
            }
          ],
          remarks: []
        })
      }
    ))

  it("is all files of a directory, in the order of their names", () =>
    within(
      {
        "2.json": JSON.stringify({
          apiVersion: "kubelet.config.k8s.io/v1beta1",
          kind: "CredentialProviderConfig",
          providers: [
            {
              name: "a",
              apiVersion: "credentialprovider.kubelet.k8s.io/v1beta1",
              matchImages: ["r"],
              defaultCacheDuration: "0s"
            }
          ]
        }),
        "1.yml": header + provider("b"),
        "notes.txt": "no configuration"
      },
      (dir) => {
        assert.deepEqual(
          read(dir).providers.map(({ name, defaultCacheDuration }) => [name, defaultCacheDuration]),
          [
            ["b", 43_200_000],
            ["a", 0]
          ]
        )
      }
    ))

  it("leaves out a provider that needs the token of a service account, and says so", () => {
    const attributes = (required: boolean) =>
      `  tokenAttributes: {serviceAccountTokenAudience: r.io, cacheType: Token, requireServiceAccount: ${required}}\n`
    return within({ "c.yaml": header + provider("a", attributes(true)) + provider("b", attributes(false)) }, (dir) => {
      const { providers, remarks } = read(dir)
      assert.deepEqual(
        providers.map(({ name }) => name),
        ["b"]
      )
      assert.match(remarks[0]?.message ?? "", /provider a wants the token of a service account/u)
    })
  })

  it("that is wrong is refused with file, line and field of everything that is", async () => {
    for (const [text, want] of [
      ["kind: Pod\napiVersion: v1\n", /^\/conf\/c\.yaml:1:1: kind: is 'Pod' of 'v1'/u],
      ["[]", /^\/conf\/c\.yaml:1:1: must be a CredentialProviderConfig/u],
      [`${header}- [`, /^\/conf\/c\.yaml:\d+:\d+: /u],
      [`${header}  []\n`, /providers: names no provider/u],
      [
        header + provider("a", "  matchimages: []\n"),
        /:8:3: providers\[0\]\.matchimages: is unknown; did you mean matchImages\?/u
      ],
      [
        `${header}- {}\n`,
        /\[0\]\.name: is missing\n.*apiVersion: must be one of.*\n.*matchImages: names no images\n.*defaultCacheDuration: is missing/u
      ],
      [header + provider("../a"), /:4:9: providers\[0\]\.name: '\.\.\/a' cannot be the name of a program/u],
      [
        header + provider("a").replace("12h", "-1s"),
        /:7:25: providers\[0\]\.defaultCacheDuration: must not be negative/u
      ],
      [header + provider("a").replace("12h", "long"), /defaultCacheDuration: must be a length of time/u],
      [
        header + provider("a").replace("*.r.io", "r.io:x"),
        /:6:16: providers\[0\]\.matchImages\[0\]: has the port 'x'/u
      ],
      [
        header + provider("a").replace("io/v1\n", "io/v2\n"),
        /apiVersion: must be one of .*, not 'credentialprovider\.kubelet\.k8s\.io\/v2'/u
      ],
      [header + provider("a") + provider("a"), /a second provider named 'a'/u],
      [header + provider("none"), /the credential provider \/bin\/none cannot be run/u],
      [header + provider("plain"), /the credential provider \/bin\/plain cannot be run/u],
      [header + provider("a", "  env: [{name: 'A=B', value: c}]\n"), /env\[0\]\.name: 'A=B' is no name/u]
    ] as const) {
      await within({ "c.yaml": text }, (dir) => assert.match(fault(dir), want, text))
    }
    await within({}, (dir) => assert.match(fault(dir), /^\/conf: holds no \*\.json, \*\.yaml or \*\.yml/u))
    await within({}, (dir) => assert.match(fault(dir, "none"), /^cannot read the credential providers/u))
  })
})
