/** The worker thread that owns the journal's database: every fsync happens here and stalls nobody else. */
import { parentPort, workerData } from "node:worker_threads"
import { StoreFailure, toFailure } from "./sqlite-failure.ts"
import type { Task } from "./sqlite-log.ts"
import type { CallName, Calls, Reply, Request, StoreOptions, TaskValue } from "./sqlite-protocol.ts"
import { readTask } from "./sqlite-read.ts"
import { openStore, type Store } from "./sqlite-store.ts"

/** Reads, verifications and prunings under way at once. A read that is given up is dropped by its reader. */
const maxTasks = 256

const options = workerData as StoreOptions
const port = parentPort
if (port === null) throw new Error("sqlite-worker.ts is a worker's entry")
const send = (reply: Reply): void => port.postMessage(reply)

type Handlers = { readonly [Name in CallName]: (argument: Calls[Name][0]) => Calls[Name][1] }

const handlersOf = (store: Store): Handlers => {
  const tasks = new Map<number, Task<TaskValue>>()
  let lastTask = 0
  const timer = options.durability === "interval" ? setInterval(() => store.sync(), options.syncPeriod) : undefined
  return {
    append: (rows) => store.append(rows),
    begin: (what) => {
      if (tasks.size >= maxTasks)
        throw new StoreFailure(
          "InputOutput",
          `more than ${maxTasks} reads of ${options.path} at once. Try again later.`
        )
      const task: Task<TaskValue> =
        what.task === "read"
          ? readTask(store.db, store.names, store.state(), what.query)
          : what.task === "verify"
            ? store.verify()
            : store.prune(what.through)
      tasks.set(++lastTask, task)
      return lastTask
    },
    step: (number) => {
      const task = tasks.get(number)
      if (task === undefined) throw new StoreFailure("InputOutput", `read ${number} of ${options.path} is over`)
      const result = task.step()
      if (result.done) tasks.delete(number)
      return result
    },
    drop: (number) => {
      tasks.delete(number)
      return undefined
    },
    size: () => ({ bytes: store.usedBytes(), first: store.state().base.sequence + 1 }),
    space: () => store.space(),
    note: (key) => store.note(key),
    setNote: ({ key, value }) => {
      store.setNote(key, value)
      return undefined
    },
    close: () => {
      clearInterval(timer)
      store.close()
      return undefined
    }
  }
}

/** Milliseconds without an append after which what was put off is done. */
const idlePeriod = 20

/** Calls `catchUp` when no append has come for a while, and again as long as there is something to do. */
const makeIdleWork = (store: Store) => {
  let timer: ReturnType<typeof setTimeout> | undefined
  /** An append came since the timer was set: it is set anew when it is due and not at each append, which would cost more. */
  let appended = false
  const look = (): void => {
    timer = undefined
    if (appended || store.catchUp()) later()
  }
  const later = (): void => {
    appended = false
    timer = setTimeout(look, idlePeriod)
  }
  const again = (): void => {
    appended = true
    if (timer === undefined) later()
  }
  return { again, stop: () => clearTimeout(timer) }
}

const serve = (store: Store): void => {
  const idleWork = makeIdleWork(store)
  const handlers = handlersOf(store)
  idleWork.again()
  port.on("message", <Name extends CallName>(request: Request<Name>) => {
    if (request.name === "close") idleWork.stop()
    try {
      const value = handlers[request.name](request.argument)
      send({ _tag: "Answered", call: request.call, value })
    } catch (error) {
      const { reason, message } = toFailure(error, options.path, request.name)
      send({ _tag: "Failed", call: request.call, failure: { reason, message } })
    }
    if (request.name === "append" || request.name === "setNote") {
      store.keepUp()
      idleWork.again()
    }
  })
  send({ _tag: "Opened", state: store.state() })
}

try {
  serve(openStore(options))
} catch (error) {
  const { reason, message } = toFailure(error, options.path, "opening")
  send({ _tag: "NotOpened", failure: { reason, message } })
}
