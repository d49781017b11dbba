/** The event stream of the in-memory runtime: hints, dropped when a reader is slow, as containerd drops them. */
import { Cause, Effect, Queue, Stream } from "effect"
import { type ContainerEvent, CriError } from "./port.ts"

/** containerd's channel of container events holds as many. */
const capacity = 1_000

type Reader = Queue.Queue<ContainerEvent, CriError | Cause.Done>

export class MemoryEvents {
  readonly #readers = new Set<Reader>()

  publish(event: ContainerEvent): void {
    for (const reader of this.#readers) Queue.offerUnsafe(reader, event)
  }

  /** Every present stream ends, as if the connection broke. */
  breakOff(): void {
    const error = new CriError({ reason: "Unavailable", call: "GetContainerEvents", message: "connection closed" })
    for (const reader of this.#readers) Queue.failCauseUnsafe(reader, Cause.fail(error))
    this.#readers.clear()
  }

  /** `refusal` is asked when somebody begins to read. */
  stream(refusal: () => CriError | undefined): Stream.Stream<ContainerEvent, CriError> {
    return Stream.callback<ContainerEvent, CriError>(
      (queue) =>
        Effect.acquireRelease(
          Effect.sync(() => {
            const error = refusal()
            if (error === undefined) this.#readers.add(queue)
            else Queue.failCauseUnsafe(queue, Cause.fail(error))
          }),
          () => Effect.sync(() => this.#readers.delete(queue))
        ),
      { bufferSize: capacity, strategy: "dropping" }
    )
  }
}
