/** Asking by a TCP connection (`pkg/probe/tcp/tcp.go`): it opens, or it does not. Nothing is sent. */
import { connect } from "node:net"
import { Effect } from "effect"
import { hostAndPort } from "./http-request.ts"
import { failed, late, type Outcome, succeeded } from "./outcome.ts"
import type { TcpQuestion } from "./port.ts"

export const askTcp = (question: TcpQuestion): Effect.Effect<Outcome> =>
  Effect.callback<Outcome>((resume) => {
    const socket = connect({ host: question.host, port: question.port })
    const end = (outcome: Outcome): void => {
      clearTimeout(timer)
      socket.destroy()
      resume(Effect.succeed(outcome))
    }
    const timer = setTimeout(() => end(late(question.timeoutSeconds)), question.timeoutSeconds * 1000)
    socket.once("connect", () => end(succeeded("")))
    socket.on("error", (error: NodeJS.ErrnoException) =>
      end(failed(`connect ${hostAndPort(question.host, question.port)}: ${error.code ?? error.message}`))
    )
    return Effect.sync(() => {
      clearTimeout(timer)
      socket.destroy()
    })
  })
