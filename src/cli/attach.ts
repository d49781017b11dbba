/** `chronode attach NS/NAME`: to the streams of the container's own process. */
import { Effect } from "effect"
import { containerSpec } from "../actors/pod/state.ts"
import type { Execute } from "./command.ts"
import { CommandFailed } from "./exit.ts"
import { podText } from "./filter/pods.ts"
import { type ProcessFlags, runInContainer } from "./streams/run-process.ts"

export const execute: Execute<ProcessFlags, [pod: string]> = (context, flags, pod) =>
  runInContainer(context, flags, pod, (runtime, target, container, { stdin, tty }) => {
    const made = containerSpec(target.pod, container.name)
    const lacks = (what: string, field: string) =>
      Effect.fail(
        new CommandFailed(
          `container ${podText(target.name)}/${container.name} has no ${what}`,
          `its manifest would have to say ${field}: true`
        )
      )
    if (stdin && made?.stdin !== true) return lacks("stdin", "stdin")
    if (tty && made?.tty !== true) return lacks("terminal", "tty")
    // As the container was made: one with a terminal has no stderr of its own.
    const streams = { stdin, tty: made?.tty === true }
    return Effect.map(runtime.attach(container.containerId, streams), (url) => ({ url, tty: streams.tty }))
  })
