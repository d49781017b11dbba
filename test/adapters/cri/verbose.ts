/** What containerd tells of a sandbox or a container beyond the CRI (`verbose`): what it was asked, and the OCI spec it made. */
import type { Message } from "@bufbuild/protobuf"
import { BinaryReader } from "@bufbuild/protobuf/wire"
import { Effect } from "effect"
import { type Channel, openChannel } from "../../../src/adapters/cri/channel.ts"
import { RuntimeService } from "../../../src/adapters/cri/generated/api_pb.js"
import type { CriError } from "../../../src/adapters/cri/port.ts"
import type { RowValue } from "../../support/cases.ts"

export interface Verbose {
  /** The CRI config as it arrived, in containerd's JSON: snake case, enumerations as numbers, zero fields left out. */
  readonly config: RowValue
  /** The OCI runtime spec that came of it. */
  readonly runtimeSpec: RowValue
}

/** Milliseconds for one call. */
const deadline = 20_000

/** `map<string, string> info = 2`, in PodSandboxStatusResponse and ContainerStatusResponse; the adapter's api.proto has no use for it. */
const parsed = (response: Message): Verbose => {
  for (const { no, data } of response.$unknown ?? []) {
    if (no !== 2) continue
    const reader = new BinaryReader(new BinaryReader(data).bytes())
    const entry = new Map<number, string>()
    while (reader.pos < reader.len) entry.set(reader.tag()[0], reader.string())
    if (entry.get(1) === "info") return JSON.parse(entry.get(2) ?? "{}")
  }
  throw new Error("the runtime's verbose answer holds no info")
}

/** Asks one runtime after another question in one connection; `ask` gets the two questions. */
export const askVerbose = <A>(
  endpoint: string,
  ask: (questions: {
    readonly sandbox: (id: string) => Effect.Effect<Verbose, CriError>
    readonly container: (id: string) => Effect.Effect<Verbose, CriError>
  }) => Effect.Effect<A, CriError>
): Promise<A> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.flatMap(openChannel(endpoint), (channel: Channel) =>
        ask({
          sandbox: (podSandboxId) =>
            channel.unary(
              RuntimeService.method.podSandboxStatus,
              deadline,
              () => ({ podSandboxId, verbose: true }),
              parsed
            ),
          container: (containerId) =>
            channel.unary(
              RuntimeService.method.containerStatus,
              deadline,
              () => ({ containerId, verbose: true }),
              parsed
            )
        })
      )
    )
  )
