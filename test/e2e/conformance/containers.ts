/** `test/e2e/common/node`: containers.go, runtime.go, expansion.go, security_context.go, kubelet.go. */
import { busyboxImage, type OtherImage } from "../../../scripts/lab/image.ts"
import type { ConformanceCase, ConformanceGroup } from "./case.ts"
import { effectiveUserProgram } from "./effective-user.ts"

/** An image with an entry point and arguments of its own, which it prints. */
const entryImage = "chronode.local/entry:1"
/** An image with a program that gains root's rights where it may. */
const setuidImage = "chronode.local/setuid:1"
export const images: Readonly<Record<string, OtherImage>> = {
  [entryImage]: { config: { Entrypoint: ["/bin/echo", "entry"], Cmd: ["default", "arguments"] } },
  [setuidImage]: { config: {}, files: [{ path: "bin/effective-user", mode: 0o4755, content: effectiveUserProgram }] }
}

const shell = (script: string) => ({ image: busyboxImage, command: ["sh", "-c", script] })

const commands: ReadonlyArray<ConformanceCase> = [
  {
    conformance: "Containers should use the image defaults if command and args are blank",
    container: { image: entryImage },
    expect: { lines: ["entry default arguments"] }
  },
  {
    conformance: "Containers should be able to override the image's default arguments (container cmd)",
    container: { image: entryImage, args: ["override", "arguments"] },
    expect: { lines: ["entry override arguments"] }
  },
  {
    conformance: "Containers should be able to override the image's default command (container entrypoint)",
    container: { image: entryImage, command: ["/bin/echo", "override"] },
    expect: { lines: ["override"], without: /default/u }
  },
  {
    conformance: "Containers should be able to override the image's default command and arguments",
    container: { image: entryImage, command: ["/bin/echo", "override"], args: ["both"] },
    expect: { lines: ["override both"] }
  }
]

const fallback = { terminationMessagePolicy: "FallbackToLogsOnError" }
const messages: ReadonlyArray<ConformanceCase> = [
  {
    conformance:
      "Container Runtime blackbox test on terminated container should report termination message if TerminationMessagePath is set as non-root user and at a non-default path",
    container: {
      ...shell("printf DONE > /dev/termination-custom-log"),
      terminationMessagePath: "/dev/termination-custom-log",
      securityContext: { runAsUser: 1000 }
    },
    expect: { message: "DONE" }
  },
  {
    conformance:
      "Container Runtime blackbox test on terminated container should report termination message from log output if TerminationMessagePolicy FallbackToLogsOnError is set",
    container: { ...shell("printf DONE; exit 1"), ...fallback },
    expect: { exitCode: 1, message: "DONE" }
  },
  {
    conformance:
      "Container Runtime blackbox test on terminated container should report termination message as empty when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set",
    container: { ...shell("printf DONE; exit 0"), ...fallback },
    expect: { message: "" }
  },
  {
    conformance:
      "Container Runtime blackbox test on terminated container should report termination message from file when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set",
    container: { ...shell("printf OK > /dev/termination-log; printf DONE; exit 0"), ...fallback },
    expect: { message: "OK" }
  }
]

const expansion: ReadonlyArray<ConformanceCase> = [
  {
    conformance: "Variable Expansion should allow composing env vars into new env vars",
    container: {
      ...shell("env"),
      env: [
        { name: "FOO", value: "foo-value" },
        { name: "BAR", value: "bar-value" },
        { name: "FOOBAR", value: "$(FOO);;$(BAR)" }
      ]
    },
    expect: { lines: ["FOO=foo-value", "BAR=bar-value", "FOOBAR=foo-value;;bar-value"] }
  },
  {
    conformance: "Variable Expansion should allow substituting values in a container's command",
    container: {
      image: busyboxImage,
      command: ["sh", "-c", 'TEST_VAR=wrong echo "$(TEST_VAR)"'],
      env: [{ name: "TEST_VAR", value: "test-value" }]
    },
    expect: { lines: ["test-value"] }
  },
  {
    conformance: "Variable Expansion should allow substituting values in a container's args",
    container: {
      image: busyboxImage,
      command: ["sh", "-c"],
      args: ['TEST_VAR=wrong echo "$(TEST_VAR)"'],
      env: [{ name: "TEST_VAR", value: "test-value" }]
    },
    expect: { lines: ["test-value"] }
  }
]

const security: ReadonlyArray<ConformanceCase> = [
  {
    conformance: "Security Context When creating a container with runAsUser should run the container with uid 65534",
    container: { ...shell("id -u"), securityContext: { runAsUser: 65_534 } },
    expect: { lines: ["65534"] }
  },
  {
    conformance:
      "Security Context When creating a pod with readOnlyRootFilesystem should run the container with writable rootfs when readOnlyRootFilesystem=false",
    container: { ...shell("touch checkfile"), securityContext: { readOnlyRootFilesystem: false, runAsUser: 0 } },
    expect: {}
  },
  {
    conformance:
      "Security Context When creating a pod with privileged should run the container as unprivileged when false",
    container: { ...shell("ip link add dummy0 type dummy || true"), securityContext: { privileged: false } },
    expect: { lines: [/Operation not permitted/u] }
  },
  {
    conformance:
      "Security Context when creating containers with AllowPrivilegeEscalation should not allow privilege escalation when false",
    container: {
      image: setuidImage,
      command: ["/bin/effective-user"],
      securityContext: { runAsUser: 1000, allowPrivilegeEscalation: false }
    },
    // 1000 modulo 256; it is 0 where the program became root.
    expect: { exitCode: 1000 % 256 }
  }
]

const kubelet: ReadonlyArray<ConformanceCase> = [
  {
    conformance: "Kubelet when scheduling a busybox command in a pod should print the output to logs",
    container: shell("echo 'Hello World'; sleep 1"),
    expect: { lines: ["Hello World"] }
  },
  {
    conformance: "Kubelet when scheduling a read only busybox container should not write to root filesystem",
    container: { ...shell("echo test > /file"), securityContext: { readOnlyRootFilesystem: true } },
    expect: { exitCode: 1, lines: [/can't create \/file: Read-only file system/u] }
  }
]

export const containers: ConformanceGroup = {
  name: "containers",
  cases: [...commands, ...messages, ...expansion, ...security, ...kubelet]
}

export const aliases: ConformanceGroup = {
  name: "aliases",
  spec: { hostAliases: [{ ip: "123.45.67.89", hostnames: ["foo", "bar"] }] },
  cases: [
    {
      conformance: "Kubelet when scheduling an agnhost Pod with hostAliases should write entries to /etc/hosts",
      container: shell("cat /etc/hosts"),
      expect: { lines: ["# Entries added by HostAliases.", "123.45.67.89\tfoo\tbar"] }
    }
  ]
}
