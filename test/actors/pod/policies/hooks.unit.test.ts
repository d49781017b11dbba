/** What a lifecycle hook asks over HTTP (`pkg/kubelet/lifecycle/handlers.go`). */
import assert from "node:assert/strict"
import { describe } from "node:test"
import { hookHeaders } from "../../../../src/actors/pod/effects/hook-effects.ts"
import { hookTarget } from "../../../../src/actors/pod/plan/plan-hooks.ts"
import { formatUrl, requestHeaders } from "../../../../src/adapters/probing/http-request.ts"
import { itMeets } from "../../../support/cases.ts"
import { container, PodStory, pod } from "../pod-story.ts"

describe("the HTTP request of a hook", () => {
  itMeets(
    "probe-http.json",
    "TestRunHTTPHandler",
    "has the URL and the headers that upstream sends",
    ({ in: given, want }) => {
      const story = new PodStory()
      const { httpHeaders = [], ...httpGet } = given.httpGet
      story.desire(pod({ containers: [container("app", { ports: given.containerPorts })] }))
      story.tell({ _tag: "ReportSandbox", attempt: 0, outcome: "created", sandboxId: "s", ips: [given.podIP] })
      const target = hookTarget(story.state, "app", { httpGet: { ...httpGet, httpHeaders } })
      if (want.url === undefined || want.url === null) {
        assert.equal(target.kind, "none")
        return undefined
      }
      assert.ok(target.kind === "httpGet")
      assert.equal(formatUrl(target.scheme, target.host, target.port, target.path), want.url)
      const { headers } = requestHeaders(hookHeaders(httpHeaders))
      const wanted = JSON.parse(JSON.stringify(want.headers).replace("kube-lifecycle/.", "kube-lifecycle/1.36"))
      delete wanted.Host
      assert.deepEqual(Object.fromEntries(headers), wanted)
      return undefined
    }
  )
})
