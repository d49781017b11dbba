/** `chronode exec NS/NAME -- COMMAND`: its exit code becomes ours. */
import { Effect } from "effect"
import type { Execute } from "./command.ts"
import { type ProcessFlags, runInContainer } from "./streams/run-process.ts"

export const execute: Execute<ProcessFlags, [pod: string, command: ReadonlyArray<string>]> = (
  context,
  flags,
  pod,
  command
) =>
  runInContainer(context, flags, pod, (runtime, _, { containerId }, streams) =>
    Effect.map(runtime.exec(containerId, command, streams), (url) => ({ url, tty: streams.tty }))
  )
