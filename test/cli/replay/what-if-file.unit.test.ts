import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { CommandFailed } from "../../../src/cli/exit.ts"
import { parseWhatIf } from "../../../src/cli/replay/what-if-file.ts"

const pod = (rest: string, name = "web"): string => `kind: Pod\nmetadata: { name: ${name} }\n${rest}`

describe("a what-if file", () => {
  it("reads parts of pods and settings of the node", () => {
    const { change, named, remarks } = parseWhatIf(
      [
        pod("spec:\n  containers:\n  - name: app\n    livenessProbe: { failureThreshold: 5 }\n    readinessProbe:\n"),
        "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\ncrashLoopBackOff: { maxContainerRestartPeriod: 1m }\n"
      ].join("---\n"),
      "if.yaml"
    )
    assert.deepEqual(change, {
      pods: [
        {
          namespace: "default",
          name: "web",
          part: {
            spec: { containers: [{ name: "app", livenessProbe: { failureThreshold: 5 }, readinessProbe: null }] }
          }
        }
      ],
      maxRestartPeriodSeconds: 60
    })
    assert.deepEqual(named[0]?.containers, [
      { name: "app", field: "spec.containers[0]", place: "if.yaml:5:11", isWhole: false }
    ])
    assert.deepEqual(remarks, [])
  })

  it("lays a part over every pod with the name *", () => {
    const { change } = parseWhatIf(pod("spec: { restartPolicy: Never }", '"*"'), "if.yaml")
    assert.deepEqual(change.pods, [{ part: { spec: { restartPolicy: "Never" } } }])
  })

  it("reads what evicts pods", () => {
    const { change, remarks } = parseWhatIf(
      "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nevictionHard: { memory.available: 50Mi }\nevictionPressureTransitionPeriod: 1m\nevictionMaxPodGracePeriod: 5\n",
      "if.yaml"
    )
    assert.deepEqual(change, {
      pods: [],
      eviction: {
        evictionHard: { "memory.available": "50Mi" },
        evictionPressureTransitionPeriodSeconds: 60,
        evictionMaxPodGracePeriodSeconds: 5
      }
    })
    assert.deepEqual(remarks, [])
  })

  it("says which settings change nothing", () => {
    const { remarks } = parseWhatIf(
      "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nclusterDomain: x\ncrashLoopBackOff: { maxContainerRestartPeriod: 1m }\n",
      "if.yaml"
    )
    assert.equal(remarks.length, 1)
    assert.match(remarks[0]!, /^if\.yaml:1:1: clusterDomain: changes nothing here/)
  })

  const rows: ReadonlyArray<readonly [name: string, text: string, problem: RegExp]> = [
    [
      "an unknown field",
      pod("spec:\n  containers:\n  - name: app\n    livenessProbe: { failureTreshold: 5 }\n"),
      /^if\.yaml:6:22: spec\.containers\[0\]\.livenessProbe\.failureTreshold: is no field .*; did you mean failureThreshold/
    ],
    [
      "a value of the wrong type",
      pod("spec:\n  containers:\n  - name: app\n    livenessProbe: { failureThreshold: many }\n"),
      /^if\.yaml:6:40: spec\.containers\[0\]\.livenessProbe\.failureThreshold: must be a whole number, not "many"/
    ],
    [
      "a value out of range",
      pod("spec:\n  containers:\n  - { name: app, livenessProbe: { failureThreshold: 0 } }\n"),
      /failureThreshold: must be at least 1, not 0/
    ],
    [
      "a rule of Kubernetes",
      pod("spec:\n  containers:\n  - { name: app, livenessProbe: { successThreshold: 2 } }\n"),
      /successThreshold: must be 1 for a liveness or startup probe, not 2/
    ],
    [
      "a word that is none of the choices",
      pod("spec: { restartPolicy: Sometimes }"),
      /restartPolicy: must be one of Always, OnFailure, Never/
    ],
    [
      "a container without a name",
      pod("spec: { containers: [{ image: x }] }"),
      /spec\.containers\[0\]\.name: is missing/
    ],
    ["a field given twice", pod("spec:\n  restartPolicy: Never\n  restartPolicy: Always\n"), /Map keys must be unique/],
    ["a pod without a name", "kind: Pod\nspec: {}\n", /^if\.yaml:1:1: metadata\.name: is missing: which pod\?/],
    ["another uid", "kind: Pod\nmetadata: { name: a, uid: b }\n", /metadata\.uid: cannot be otherwise/],
    [
      "another kind",
      "a: 1\n---\nkind: Deployment\n",
      /kind: must be Pod or KubeletConfiguration, not null[\s\S]*if\.yaml:3:7: kind: must be Pod or KubeletConfiguration, not "Deployment"/
    ],
    ["no YAML", "kind: Pod\n  bad: [\n", /^if\.yaml:1:7: /],
    ["nothing at all", "", /^if\.yaml: says of nothing that it would have been otherwise/],
    [
      "a back-off out of range, with its line",
      "# first\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\ncrashLoopBackOff: { maxContainerRestartPeriod: 10m }\n",
      /^if\.yaml:4:\d+: crashLoopBackOff\.maxContainerRestartPeriod: .*must be set between 1s and 300s/
    ]
  ]
  for (const [name, text, problem] of rows) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => parseWhatIf(text, "if.yaml"),
        (error) => (error instanceof CommandFailed && problem.test(error.message)) || assert.fail(String(error))
      )
    })
  }
})
