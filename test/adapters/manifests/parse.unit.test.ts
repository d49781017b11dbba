import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { Schema } from "effect"
import { parseManifest } from "../../../src/adapters/manifests/parse.ts"
import { Pod } from "../../../src/events/pod-spec.ts"

const parse = (text: string) => parseManifest(text, "/m/a.yaml", "node-1")
const seed = (name: string) => readFileSync(new URL(`../../cases/seed-examples/${name}`, import.meta.url), "utf8")
const spec = (rest: string) => `apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
${rest}`
const container = (rest: string) =>
  spec(`  containers:
  - name: app
    image: busybox:1.36
${rest}`)
/** `line:column field: message` of each problem. */
const problems = (text: string) =>
  parse(text).problems.map((p) => `${p.line ?? ""}:${p.column ?? ""} ${p.field ?? ""}: ${p.message}`)

describe("reading manifests", () => {
  it("reads a pod with probes and fills in what the API server would", () => {
    const { pods, problems, ignoredFields } = parse(seed("pod-1.yaml"))
    assert.deepEqual(problems, [])
    assert.deepEqual(ignoredFields, [])
    const [{ pod }] = pods as [(typeof pods)[number]]
    assert.deepEqual(Schema.decodeUnknownSync(Pod)(pod), pod)
    assert.equal(pod.metadata.namespace, "default")
    assert.match(pod.metadata.uid, /^[0-9a-f]{32}$/u)
    assert.equal(pod.spec.restartPolicy, "Always")
    assert.equal(pod.spec.terminationGracePeriodSeconds, 30)
    assert.equal(pod.spec.dnsPolicy, "ClusterFirst")
    assert.equal(pod.spec.enableServiceLinks, true)
    const [app] = pod.spec.containers
    assert.equal(app?.imagePullPolicy, "Always")
    assert.deepEqual(app?.livenessProbe, {
      httpGet: { path: "/healthz", port: 8080, scheme: "HTTP" },
      initialDelaySeconds: 15,
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3
    })
    assert.equal(app?.startupProbe?.failureThreshold, 30)
    assert.equal(app?.terminationMessagePath, "/dev/termination-log")
  })

  it("reads a static pod with a pinned image and a port", () => {
    const { pods, problems } = parse(seed("pod-2.yaml"))
    assert.deepEqual(problems, [])
    assert.equal(pods[0]?.pod.spec.containers[0]?.imagePullPolicy, "IfNotPresent")
    assert.deepEqual(pods[0]?.pod.spec.containers[0]?.ports, [{ containerPort: 80, protocol: "TCP" }])
  })

  it("reads JSON, lists, and several documents of one file", () => {
    const json = JSON.stringify(
      {
        apiVersion: "v1",
        kind: "List",
        items: ["a", "b"].map((name) => ({
          apiVersion: "v1",
          kind: "Pod",
          metadata: { name },
          spec: { containers: [{ name: "c", image: "i" }] }
        }))
      },
      null,
      "\t"
    )
    assert.deepEqual(parse(json).problems, [])
    assert.deepEqual(
      parse(json).pods.map((p) => p.pod.metadata.name),
      ["a", "b"]
    )
    const many = `# first\n---\n${container("")}\n---\n# nothing\n---\n${container("").replace("web", "other")}\n...\n`
    assert.deepEqual(parse(many).problems, [])
    assert.deepEqual(
      parse(many).pods.map((p) => p.pod.metadata.name),
      ["web", "other"]
    )
    assert.deepEqual(parse("# nothing\n---\n"), { pods: [], objects: [], problems: [], ignoredFields: [] })
  })

  it("takes a file that was cut to nothing for one that is being written, not for one without pods", () => {
    for (const nothing of ["", "\n", " \t\r\n"]) {
      assert.deepEqual(problems(nothing), [": : the file is empty; remove it, and its pods go"])
    }
  })

  it("names line, column and field of a wrong type", () => {
    assert.deepEqual(problems(container("    tty: 3\n    stdin: yes\n    command: [1]\n")), [
      "9:10 spec.containers[0].tty: must be true or false, not the number 3",
      "11:15 spec.containers[0].command[0]: must be text, not the number 1; put it in quotes"
    ])
    assert.deepEqual(problems(spec("  containers: 7\n")), ["6:15 spec.containers: must be a list, not the number 7"])
    assert.deepEqual(problems(container("    imagePullPolicy: Sometimes\n")), [
      '9:22 spec.containers[0].imagePullPolicy: must be one of Always, IfNotPresent, Never, not "Sometimes"'
    ])
  })

  it("names the line in the whole file for a later document, and keeps the good ones", () => {
    const { pods, problems } = parse(
      `${container("")}---\napiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: []}\n`
    )
    assert.deepEqual(
      pods.map((p) => p.pod.metadata.name),
      ["web"]
    )
    assert.deepEqual(problems, [
      { line: 13, column: 20, field: "spec.containers", message: "needs at least one container" }
    ])
  })

  it("tells broken YAML with its place and reads the documents around it", () => {
    const { pods, problems } = parse(
      `${container("")}---\na: "never closed\n---\n${container("").replace("web", "third")}`
    )
    assert.deepEqual(
      pods.map((p) => p.pod.metadata.name),
      ["web", "third"]
    )
    assert.equal(problems.length > 0, true)
    assert.match(problems[0]?.message ?? "", /^YAML: /u)
    assert.equal((problems[0]?.line ?? 0) >= 10, true)
  })

  it("tells what is nested too deeply in words of its own, on one line", () => {
    const { pods, problems } = parse(`a: ${"[".repeat(100_000)}${"]".repeat(100_000)}\n---\n${container("")}`)
    assert.equal(pods.length, 1)
    assert.equal(problems[0]?.message, "YAML: it is nested too deeply")
  })

  it("warns of fields that do not exist, and otherwise of fields that are not acted on", () => {
    const { pods, ignoredFields } = parse(container("    colour: red\n    resources: {claims: []}\n"))
    assert.equal(pods.length, 1)
    assert.deepEqual(ignoredFields, [
      { line: 9, field: "spec.containers[0].colour", message: "is no field of a Pod; ignored" },
      {
        line: 10,
        field: "spec.containers[0].resources.claims",
        message: "is a Pod field that Chronode does not act on yet; ignored"
      }
    ])
  })

  it("refuses what would run something else if it were left out", () => {
    const texts = problems(
      spec(`  initContainers:
  - {name: side, image: i, restartPolicy: Always, lifecycle: {preStop: {tcpSocket: {port: 1}}}}
  containers:
  - name: app
    image: i
    volumeDevices: [{name: v, devicePath: /dev/v}]
  volumes:
  - {name: v, nfs: {server: s, path: /p}}
`)
    )
    for (const field of [
      "spec.initContainers[0].lifecycle.preStop.tcpSocket",
      "spec.containers[0].volumeDevices",
      "spec.volumes[0].nfs"
    ]) {
      assert.equal(texts.filter((t) => t.includes(` ${field}: is not supported yet`)).length, 1, field)
    }
  })

  it("finds doubled keys, and follows anchors and merge keys", () => {
    assert.deepEqual(problems(container("    tty: true\n    tty: false\n")), [
      "10:5 spec.containers[0].tty: is given twice"
    ])
    const { pods, problems: none } = parse(
      spec(`  containers:
  - &base
    name: a
    image: i
    tty: true
  - <<: *base
    name: b
`)
    )
    assert.deepEqual(none, [])
    assert.deepEqual(
      pods[0]?.pod.spec.containers.map((c) => [c.name, c.image, c.tty]),
      [
        ["a", "i", true],
        ["b", "i", true]
      ]
    )
  })

  it("does not follow a bomb of aliases for ever", () => {
    const levels = Array.from({ length: 12 }, (_, i) => `- &l${i + 1} [${Array(10).fill(`*l${i}`).join(",")}]`)
    const bomb = `x: [a]\ny:\n- &l0 [a]\n${levels.join("\n")}\n`
    assert.deepEqual(problems(bomb).length, 1)
    const mounts = Array.from({ length: 400 }, () => "- *c").join("\n  ")
    const big = spec(
      `  x: &c {name: app, image: i, args: [${Array(400).fill("a").join(",")}]}\n  containers:\n  ${mounts}\n`
    )
    assert.match(problems(big).join("\n"), /has more than 100000 values/u)
  })

  it("checks names", () => {
    const bad = container("")
      .replace("name: web", "name: Web_1\n  namespace: a.b\n  uid: ../x")
      .replace("name: app", "name: app.x")
    assert.deepEqual(problems(bad), [
      '4:9 metadata.name: "Web_1" is no DNS name: labels of lower-case letters, digits and "-", joined by dots',
      '5:14 metadata.namespace: "a.b" is no DNS label: lower-case letters, digits and "-", with a letter or digit at both ends',
      '6:8 metadata.uid: "../x" is no uid: up to 128 letters, digits and "-"',
      '9:11 spec.containers[0].name: "app.x" is no DNS label: lower-case letters, digits and "-", with a letter or digit at both ends'
    ])
    assert.match(problems(container("").replace("web", "a".repeat(254))).join(), /longer than 253/u)
    assert.match(problems(container("").replace("app", "a".repeat(64))).join(), /longer than 63/u)
  })

  it("finds doubled container, volume, mount and port names, and allows doubled variables", () => {
    const text = spec(`  initContainers:
  - {name: app, image: i}
  containers:
  - name: app
    image: i
    env: [{name: A, value: "1"}, {name: A, value: "2"}]
    ports: [{name: http, containerPort: 80, hostPort: 80}, {name: http, containerPort: 81, hostPort: 80}]
    volumeMounts: [{name: v, mountPath: /v}, {name: v, mountPath: /v}, {name: none, mountPath: rel}]
  volumes:
  - {name: v, emptyDir: {}}
  - {name: v, hostPath: {path: /x}}
`)
    assert.deepEqual(
      parse(text).problems.map((p) => p.field),
      [
        "spec.volumes[1].name",
        "spec.containers[0].name",
        "spec.containers[0].ports[1].name",
        "spec.containers[0].ports[1].hostPort",
        "spec.containers[0].volumeMounts[1].mountPath",
        "spec.containers[0].volumeMounts[2].name",
        "spec.containers[0].volumeMounts[2].mountPath"
      ]
    )
  })

  it("checks ports, probes, resources, volumes and the rest of the spec", () => {
    const text = spec(`  terminationGracePeriodSeconds: -1
  activeDeadlineSeconds: 0
  hostname: Big
  dnsPolicy: None
  containers:
  - name: app
    image: " i"
    ports: [{containerPort: 70000}, {containerPort: 0}]
    resources:
      requests: {cpu: "2", memory: lots}
      limits: {cpu: 1500m, memory: -1Mi}
    livenessProbe: {successThreshold: 2, httpGet: {port: 0}, tcpSocket: {port: x_y}}
    readinessProbe: {terminationGracePeriodSeconds: 3, periodSeconds: -1, exec: {command: []}}
    startupProbe: {httpGet: {port: 80, httpHeaders: [{name: "a b", value: x}]}}
  volumes:
  - {name: a, emptyDir: {medium: Disk, sizeLimit: wide}}
  - {name: b, hostPath: {path: ../x, type: Thing}}
  - {name: c, hostPath: {path: /x}, emptyDir: {}}
`)
    assert.deepEqual(
      parse(text).problems.map((p) => p.field),
      [
        "spec.volumes[0].emptyDir.medium",
        "spec.volumes[0].emptyDir.sizeLimit",
        "spec.volumes[1].hostPath.path",
        "spec.volumes[1].hostPath.type",
        "spec.volumes[2]",
        "spec.containers[0].image",
        "spec.containers[0].ports[0].containerPort",
        "spec.containers[0].ports[1].containerPort",
        'spec.containers[0].resources.limits["memory"]',
        'spec.containers[0].resources.requests["memory"]',
        'spec.containers[0].resources.requests["cpu"]',
        "spec.containers[0].livenessProbe",
        "spec.containers[0].livenessProbe.successThreshold",
        "spec.containers[0].livenessProbe.httpGet.port",
        "spec.containers[0].livenessProbe.tcpSocket.port",
        "spec.containers[0].readinessProbe.periodSeconds",
        "spec.containers[0].readinessProbe.terminationGracePeriodSeconds",
        "spec.containers[0].readinessProbe.exec.command",
        "spec.containers[0].startupProbe.httpGet.httpHeaders[0].name",
        "spec.terminationGracePeriodSeconds",
        "spec.activeDeadlineSeconds",
        "spec.hostname",
        "spec.dnsConfig.nameservers"
      ]
    )
  })

  it("knows volumes that are images, with the pull policy that their tag asks for, and imagePullSecrets", () => {
    const { pods, problems, ignoredFields } = parse(
      container(`  imagePullSecrets: [{name: s}, {}]
  volumes:
  - {name: a, image: {reference: tools}}
  - {name: b, image: {reference: "tools:1"}}
  - {name: c, image: {reference: "tools:1", pullPolicy: Never}}
`)
    )
    assert.deepEqual([problems, ignoredFields], [[], []])
    const spec = pods[0]?.pod.spec
    assert.deepEqual(spec?.imagePullSecrets, [{ name: "s" }, {}])
    assert.deepEqual(
      spec?.volumes?.map(({ image }) => image?.pullPolicy),
      ["Always", "IfNotPresent", "Never"]
    )
    const wrong = parse(
      container(`  volumes:
  - {name: a, image: {}}
  - {name: b, image: {reference: "tools:1", pullPolicy: Sometimes}}
  - {name: c, image: {reference: "tools:1"}, emptyDir: {}}
`)
    )
    assert.deepEqual(
      wrong.problems.map(({ field, message }) => `${field}: ${message}`),
      [
        'spec.volumes[1].image.pullPolicy: must be one of Always, IfNotPresent, Never, not "Sometimes"',
        "spec.volumes[0].image.reference: is missing",
        "spec.volumes[2]: has more than one source"
      ]
    )
  })

  it("takes bare numbers as quantities, asks for as much as the limit, and makes a volume without source an emptyDir", () => {
    const { pods, problems } = parse(
      container(
        "    resources: {limits: {cpu: 1, memory: 64Mi}, requests: {cpu: 0.5}}\n  hostNetwork: true\n  volumes: [{name: v}]\n"
      )
    )
    assert.deepEqual(problems, [])
    assert.deepEqual(pods[0]?.pod.spec.containers[0]?.resources, {
      limits: { cpu: "1", memory: "64Mi" },
      requests: { cpu: "0.5", memory: "64Mi" }
    })
    assert.deepEqual(pods[0]?.pod.spec.volumes, [{ name: "v", emptyDir: {} }])
  })

  it("warns of objects that have no meaning here and refuses the others", () => {
    const { pods, problems, ignoredFields } = parse(
      `apiVersion: v1\nkind: Namespace\nmetadata: {name: c}\n---\napiVersion: apps/v1\nkind: Deployment\n---\n- a\n---\nfoo: bar\n---\n${container("").replace("v1", "v2")}`
    )
    assert.equal(pods.length, 0)
    assert.deepEqual(ignoredFields, [{ line: 2, field: "kind", message: "Namespace has no meaning here; ignored" }])
    assert.deepEqual(
      problems.map((p) => [p.line, p.field ?? "", p.message]),
      [
        [6, "kind", 'must be Pod or List, not "Deployment"'],
        [8, "", "must be a mapping with apiVersion, kind, metadata and spec"],
        [10, "kind", "is missing: Pod or List"],
        [12, "apiVersion", 'must be "v1" for a Pod']
      ]
    )
  })

  it("gives the uid of the content, the node and the file, and keeps a given one", () => {
    const uid = (text: string, file = "/m/a.yaml", node = "node-1") =>
      parseManifest(text, file, node).pods[0]?.pod.metadata.uid
    const text = container("    env: [{name: A, value: one}]\n")
    assert.equal(
      uid(text),
      uid(text.replace("  - name: app\n    image: busybox:1.36\n", "  - image: busybox:1.36\n    name: app\n"))
    )
    const others = [
      uid(text),
      uid(text.replace("one", "two")),
      uid(text, "/m/b.yaml"),
      uid(text, "/m/a.yaml", "node-2")
    ]
    assert.equal(new Set(others).size, 4)
    assert.equal(uid(text.replace("name: web", "name: web\n  uid: given-1")), "given-1")
  })

  it("puts no values of variables and headers into the recorded form", () => {
    const text = container(
      "    env: [{name: A, value: s3cret}, {name: B}]\n    livenessProbe: {httpGet: {port: 80, httpHeaders: [{name: X, value: t0ken}]}}\n"
    )
    const [first] = parse(text).pods
    assert.equal(first?.pod.spec.containers[0]?.env?.[0]?.value, "s3cret")
    const recorded = JSON.stringify(first?.recorded)
    assert.doesNotMatch(recorded, /s3cret|t0ken/u)
    const [a, b] = first?.recorded.spec.containers[0]?.env ?? []
    assert.match(a?.valueHash ?? "", /^[0-9a-f]{16}$/u)
    assert.deepEqual(b, { name: "B" })
    assert.match(
      first?.recorded.spec.containers[0]?.livenessProbe?.httpGet?.httpHeaders?.[0]?.valueHash ?? "",
      /^[0-9a-f]{16}$/u
    )
  })

  it("quotes no value of a variable in a message", () => {
    const texts = [
      container("    env: [{name: A, value: 90210777}]\n"),
      `${container('    env: [{name: A, value: "x"}]\n')}"90210777"`,
      container('    env: [{name: A, value: "\\90210777"}]\n'),
      container("    env:\n    - name: A\n      value: |90210777\n        x\n")
    ]
    for (const text of texts) {
      const found = problems(text)
      assert.ok(found.length > 0, text)
      assert.doesNotMatch(found.join(), /90210777/u)
    }
  })

  const volumes = (text: string) =>
    container("").replace("  containers:", `  volumes:\n  - {name: v, ${text}}\n  containers:`)

  it("reads volumes of files, modes in octal as YAML 1.1 has them, and fills in the default mode", () => {
    const { pods, problems: wrong } = parse(
      volumes(
        "projected: {sources: [{secret: {name: s, items: [{key: k, path: a/b, mode: 0400}]}}, {downwardAPI: {items: [{path: p, fieldRef: {fieldPath: \"metadata.labels['x/y']\"}, mode: 256}]}}]}"
      ).replace(
        "  containers:",
        "  - {name: w, configMap: {name: c, optional: true}}\n  - {name: u, secret: {secretName: s, defaultMode: 0o440}}\n  containers:"
      )
    )
    assert.deepEqual(wrong, [])
    const [v, w, u] = pods[0]?.pod.spec.volumes ?? []
    assert.deepEqual(w, { name: "w", configMap: { name: "c", optional: true, defaultMode: 0o644 } })
    assert.equal(u?.secret?.defaultMode, 0o440)
    assert.equal(v?.projected?.defaultMode, 0o644)
    assert.equal(v?.projected?.sources?.[0]?.secret?.items?.[0]?.mode, 0o400)
    assert.equal(v?.projected?.sources?.[1]?.downwardAPI?.items?.[0]?.mode, 0o400)
  })

  it("refuses volumes that cannot be, each with its field", () => {
    const at = (text: string) =>
      parse(volumes(text)).problems.map((p) => `${p.field?.replace("spec.volumes[0].", "")}: ${p.message}`)
    const items = (list: string) => `configMap: {name: c, items: [${list}]}`
    assert.deepEqual(at("configMap: {}"), ["configMap.name: is missing"])
    assert.deepEqual(at("secret: {}"), ["secret.secretName: is missing"])
    assert.deepEqual(at("configMap: {name: c}, secret: {secretName: s}"), ["spec.volumes[0]: has more than one source"])
    assert.deepEqual(at("configMap: {name: c, defaultMode: 512}"), [
      "configMap.defaultMode: 512 is no mode: a number between 0 and 0777 (octal; 511), both inclusive"
    ])
    assert.deepEqual(
      at(items("{key: k, path: ../x}, {path: /x}, {key: k, path: ..x}, {key: k, path: a/../b}, {key: k}")),
      [
        'configMap.items[0].path: must not contain ".."',
        "configMap.items[1].key: is missing",
        "configMap.items[1].path: must be a relative path",
        'configMap.items[2].path: must not begin with ".."',
        'configMap.items[3].path: must not contain ".."',
        "configMap.items[4].path: is missing"
      ]
    )
    const downward = (file: string) => at(`downwardAPI: {items: [{path: p, ${file}}]}`)
    assert.deepEqual(downward("mode: 0400"), [
      "downwardAPI.items[0]: needs exactly one of fieldRef, resourceFieldRef; has 0"
    ])
    assert.match(downward("fieldRef: {fieldPath: status.podIP}").join(), /"status.podIP" cannot be a file/u)
    assert.deepEqual(downward("resourceFieldRef: {resource: limits.gpu, divisor: 3}"), [
      "downwardAPI.items[0].resourceFieldRef.containerName: is missing",
      'downwardAPI.items[0].resourceFieldRef.resource: "limits.gpu" is no request or limit',
      'downwardAPI.items[0].resourceFieldRef.divisor: "3" is no unit of limits.gpu'
    ])
    assert.deepEqual(
      at(
        "projected: {sources: [{configMap: {name: c, items: [{key: k, path: p}]}}, {secret: {items: [{key: k, path: p}]}}, {}]}"
      ),
      [
        "projected.sources[1].secret.name: is missing",
        'projected.sources[1].secret.items[0].path: conflicting duplicate paths: "p"',
        "projected.sources[2]: needs exactly one of configMap, secret, downwardAPI; has 0"
      ]
    )
    assert.match(
      at("projected: {sources: [{serviceAccountToken: {path: t}}]}").join(),
      /serviceAccountToken: needs an API server/u
    )
    assert.match(at("persistentVolumeClaim: {claimName: c}").join(), /persistentVolumeClaim: needs an API server/u)
    assert.match(at("emptyDir: {medium: HugePages-x}").join(), /emptyDir.medium: must be/u)
    assert.deepEqual(at("emptyDir: {medium: HugePages-2Mi}"), [])
  })

  it("does not take the log's hashes from a manifest", () => {
    const { ignoredFields } = parse(container("    env: [{name: A, value: x, valueHash: abc}]\n"))
    assert.deepEqual(
      ignoredFields.map((f) => f.field),
      ["spec.containers[0].env[0].valueHash"]
    )
  })

  it("refuses a pod that is too large to be recorded, and a document that is too large to be parsed", () => {
    const annotations = (bytes: number) =>
      container("").replace("name: web", `name: web\n  annotations: {a: ${"x".repeat(bytes)}}`)
    assert.match(problems(annotations(40_000)).join(), /too large to be recorded/u)
    // Long texts are cheap to parse; many small values are not.
    assert.match(problems(annotations(600_000)).join(), /too large to be recorded/u)
    assert.deepEqual(
      problems(container("").replace("name: web", `name: web\n  annotations: {${"a: b,".repeat(120_000)}}`)),
      ["1:1 : the document is larger than 512 KiB"]
    )
    assert.deepEqual(problems(annotations(20_000)), [])
    const comments = `---\n# ${"x".repeat(400_000)}\nkind: Namespace\n`
    assert.deepEqual(problems(comments.repeat(3)), [
      "7:1 : the file's documents are more than 1 MiB: this one and those after it are left out"
    ])
  })
})
