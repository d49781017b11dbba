/** What the stream actor knows: whether the journal is being published, where, and what was told of it already. */
export interface StreamActorState {
  /** `unknown`: nothing was ever reported. */
  readonly connection: "unknown" | "connected" | "disconnected"
  readonly server: string
  readonly serverVersion: string
  readonly stream: string
  /** Problems told since the publisher was last connected. At most `maxProblemsTold`. */
  readonly problems: ReadonlyArray<string>
  readonly differences: ReadonlyArray<string>
}

/** After so many different problems in one outage nothing more is written until the publisher is connected again. */
export const maxProblemsTold = 8

export const initial = (): StreamActorState => ({
  connection: "unknown",
  server: "",
  serverVersion: "",
  stream: "",
  problems: [],
  differences: []
})
