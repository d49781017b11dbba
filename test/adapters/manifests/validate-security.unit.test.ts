/** What a manifest may say of users, privileges and confinement: see validate-security.ts. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { parseManifest } from "../../../src/adapters/manifests/parse.ts"

const parse = (container: object, spec: object = {}) =>
  parseManifest(
    JSON.stringify({
      ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "web" } },
      spec: { containers: [{ name: "app", image: "i:1", ...container }], ...spec }
    }),
    "/m/web.yaml",
    "n1"
  )
const problems = (container: object, spec: object = {}): ReadonlyArray<string> =>
  parse(container, spec).problems.map((p) => {
    assert.ok(p.line !== undefined && p.field !== undefined, JSON.stringify(p))
    return `${p.field.replace(/^spec\./u, "")}: ${p.message}`
  })
const inContainer = (securityContext: object, spec: object = {}) =>
  problems({ securityContext }, spec).map((text) => text.replace("containers[0].securityContext.", ""))
const inPod = (securityContext: object, spec: object = {}) =>
  problems({}, { securityContext, ...spec }).map((text) => text.replace(/^securityContext\./u, ""))

const maxId = 2 ** 31 - 1

describe("the security context of a container", () => {
  for (const [title, context, wrong, spec] of [
    ["may be empty", {}, []],
    ["takes ids from 0", { runAsUser: 0, runAsGroup: 0 }, []],
    ["takes ids up to 2^31-1", { runAsUser: maxId, runAsGroup: maxId }, []],
    ["refuses negative ids", { runAsUser: -1 }, [`runAsUser: must be between 0 and ${maxId}, not -1`]],
    ["refuses larger ids", { runAsGroup: maxId + 1 }, [`runAsGroup: must be between 0 and ${maxId}, not ${maxId + 1}`]],
    [
      "refuses privileges for one that may not gain any",
      { privileged: true, allowPrivilegeEscalation: false },
      ["allowPrivilegeEscalation: cannot be false for a container that is privileged"]
    ],
    [
      "refuses CAP_SYS_ADMIN for one that may not gain any",
      { capabilities: { add: ["CAP_SYS_ADMIN"] }, allowPrivilegeEscalation: false },
      ["allowPrivilegeEscalation: cannot be false for a container that adds CAP_SYS_ADMIN"]
    ],
    // The API server compares the name as it is written, and knows no list of capabilities.
    ["takes SYS_ADMIN", { capabilities: { add: ["SYS_ADMIN"] }, allowPrivilegeEscalation: false }, []],
    ["takes unknown capabilities", { capabilities: { add: ["NO_SUCH"], drop: ["ALL", "all"] } }, []],
    [
      "refuses an unmasked /proc in the host's users",
      { procMount: "Unmasked" },
      ["procMount: Unmasked needs hostUsers false"]
    ],
    ["takes an unmasked /proc in users of its own", { procMount: "Unmasked" }, [], { hostUsers: false }],
    ["takes the default /proc", { procMount: "Default" }, []],
    ["takes seccomp profiles", { seccompProfile: { type: "Localhost", localhostProfile: "a/b.json" } }, []],
    [
      "refuses a local seccomp profile without a name",
      { seccompProfile: { type: "Localhost" } },
      ["seccompProfile.localhostProfile: is missing: the type Localhost needs it"]
    ],
    [
      "refuses a local seccomp profile outside of the directory",
      { seccompProfile: { type: "Localhost", localhostProfile: "../x.json" } },
      ['seccompProfile.localhostProfile: must not contain ".."']
    ],
    [
      "refuses an absolute seccomp profile",
      { seccompProfile: { type: "Localhost", localhostProfile: "/x.json" } },
      ["seccompProfile.localhostProfile: must be a relative path"]
    ],
    [
      "refuses a name for a profile that has none",
      { seccompProfile: { type: "Unconfined", localhostProfile: "x" } },
      ["seccompProfile.localhostProfile: is for the type Localhost only"]
    ],
    [
      "refuses a seccomp profile without a type",
      { seccompProfile: {} },
      ["seccompProfile.type: is missing: RuntimeDefault, Unconfined or Localhost"]
    ],
    [
      "refuses a local AppArmor profile without a name",
      { appArmorProfile: { type: "Localhost", localhostProfile: " " } },
      ["appArmorProfile.localhostProfile: is missing: the type Localhost needs it"]
    ],
    [
      "refuses an AppArmor profile with spaces around",
      { appArmorProfile: { type: "Localhost", localhostProfile: "x " } },
      ["appArmorProfile.localhostProfile: must not begin or end with a space"]
    ],
    [
      "refuses an AppArmor profile of 4096 characters",
      { appArmorProfile: { type: "Localhost", localhostProfile: "x".repeat(4096) } },
      ["appArmorProfile.localhostProfile: is longer than 4095 characters"]
    ],
    ["takes SELinux options", { seLinuxOptions: { level: "s0:c1", type: "spc_t" } }, []],
    ["passes over options for Windows", { windowsOptions: { runAsUserName: "a" } }, []],
    [
      "refuses options for Windows in a pod for Linux",
      { windowsOptions: { runAsUserName: "a" } },
      ["windowsOptions: is not allowed for a pod whose os is linux"],
      { os: { name: "linux" } }
    ]
  ] as ReadonlyArray<readonly [string, object, ReadonlyArray<string>, object?]>) {
    it(title, () => assert.deepEqual(inContainer(context, spec), wrong))
  }
})

describe("the security context of a pod", () => {
  const name = "net.ipv4.tcp_syncookies"
  for (const [title, context, wrong, spec] of [
    ["takes groups and sysctls", { fsGroup: 1, supplementalGroups: [0, 7], sysctls: [{ name, value: "1" }] }, []],
    ["takes both policies", { supplementalGroupsPolicy: "Strict" }, []],
    [
      "refuses another policy",
      { supplementalGroupsPolicy: "x" },
      ['supplementalGroupsPolicy: must be one of Merge, Strict, not "x"']
    ],
    [
      "refuses groups that are none",
      { supplementalGroups: [1, -1], fsGroup: maxId + 1 },
      [
        `fsGroup: must be between 0 and ${maxId}, not ${maxId + 1}`,
        `supplementalGroups[1]: must be between 0 and ${maxId}, not -1`
      ]
    ],
    [
      "refuses a sysctl twice, however it is written",
      {
        sysctls: [
          { name, value: "1" },
          { name: "net/ipv4/tcp_syncookies", value: "0" }
        ]
      },
      ['sysctls[1].name: another sysctl is called "net/ipv4/tcp_syncookies" too']
    ],
    [
      "refuses a sysctl without name or value",
      { sysctls: [{}] },
      ["sysctls[0].value: is missing", "sysctls[0].name: is missing"]
    ],
    [
      "refuses what is no name of a sysctl",
      { sysctls: [{ name: "Net.x", value: "" }] },
      ['sysctls[0].name: is no name of a sysctl: at most 253 lower-case letters, digits, "-", "_", "." and "/"']
    ],
    [
      "refuses sysctls of the host's network",
      { sysctls: [{ name, value: "1" }] },
      ["sysctls[0].name: may not be set with hostNetwork true"],
      { hostNetwork: true }
    ],
    [
      "refuses sysctls of the host's IPC",
      { sysctls: [{ name: "kernel.shm_rmid_forced", value: "1" }] },
      ["sysctls[0].name: may not be set with hostIPC true"],
      { hostIPC: true }
    ],
    [
      "refuses a wrong profile",
      { seccompProfile: { type: "Localhost" } },
      ["seccompProfile.localhostProfile: is missing: the type Localhost needs it"]
    ]
  ] as ReadonlyArray<readonly [string, object, ReadonlyArray<string>, object?]>) {
    it(title, () => assert.deepEqual(inPod(context, spec), wrong))
  }
})

describe("namespaces that exclude each other", () => {
  it("are refused together", () => {
    assert.deepEqual(problems({}, { shareProcessNamespace: true, hostPID: true }), [
      "shareProcessNamespace: and hostPID cannot both be true"
    ])
    for (const field of ["hostNetwork", "hostPID", "hostIPC"]) {
      assert.deepEqual(problems({}, { hostUsers: false, [field]: true }), [
        `${field}: is not allowed when hostUsers is false`
      ])
    }
    assert.deepEqual(problems({}, { hostUsers: true, hostNetwork: true, hostPID: true, hostIPC: true }), [])
    assert.deepEqual(problems({}, { hostUsers: false, shareProcessNamespace: true }), [])
  })
})

describe("resources that exclude each other", () => {
  it("are refused together", () => {
    const resources = { requests: { memory: "2Gi", cpu: "1" }, limits: { memory: "1Gi", cpu: "1" } }
    assert.deepEqual(problems({ resources }), [
      'containers[0].resources.requests["memory"]: 2Gi is more than the limit of 1Gi'
    ])
  })
})
