/** Pods of the tests, as objects of the Kubernetes API. */
import { busyboxImage } from "../../scripts/lab/image.ts"

export type Fields = Readonly<Record<string, unknown>>

export const pod = (name: string, spec: Fields, metadata: Fields = {}): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...metadata },
  spec: { terminationGracePeriodSeconds: 2, ...spec }
})

export const container = (name: string, script: string, more: Fields = {}): Fields => ({
  name,
  image: busyboxImage,
  command: ["sh", "-c", script],
  ...more
})

/** Runs until it is told to stop, and then stops at once. */
export const forever = "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"
/** Serves /www over HTTP on port 8080; `/ok` is there from the beginning. */
export const webServer = "mkdir -p /www; echo yes > /www/ok; trap 'exit 0' TERM; httpd -f -p 8080 -h /www & wait $!"

export const httpGet = (path: string, more: Fields = {}): Fields => ({
  httpGet: { path, port: 8080 },
  periodSeconds: 1,
  failureThreshold: 1,
  ...more
})
