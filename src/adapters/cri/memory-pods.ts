/** Sandboxes and containers of the in-memory runtime. What each call does and says follows containerd's pkg/cri/server. */
import { Clock, Deferred, Effect, type Scope } from "effect"
import { MemoryEvents } from "./memory-events.ts"
import type { MemoryImages } from "./memory-images.ts"
import {
  type Answer,
  bytes,
  containerName,
  describeContainer,
  describeSandbox,
  describeStatus,
  type Exit,
  fail,
  hasLabels,
  killed,
  type MemoryContainer,
  type MemorySandbox,
  millisecondsPerSecond,
  type Program,
  sandboxName,
  startErrorCode,
  stateOf,
  terminated,
  time,
  usageOf
} from "./memory-model.ts"
import type {
  Container,
  ContainerConfig,
  ContainerEvent,
  ContainerStatus,
  ContainerUsage,
  ExecResult,
  Labels,
  LinuxContainerResources,
  Sandbox,
  SandboxConfig,
  SandboxStatus
} from "./port.ts"

/** The process ends; whatever waits for its end goes on. Nothing happens where none runs. */
export const exitContainer = (pods: MemoryPods, id: string, exit: Exit, now: number): void => {
  const container = pods.containers.get(id)
  if (container === undefined || stateOf(container) !== "CONTAINER_RUNNING") return
  container.finishedAt = now
  container.exitCode = exit.code
  container.reason = exit.oomKilled === true ? "OOMKilled" : exit.code === 0 ? "Completed" : "Error"
  Deferred.doneUnsafe(container.ended, Effect.void)
  pods.tell("CONTAINER_STOPPED_EVENT", id, container.sandboxId, now)
}

export class MemoryPods {
  readonly sandboxes = new Map<string, MemorySandbox>()
  readonly containers = new Map<string, MemoryContainer>()
  readonly events = new MemoryEvents()
  program: (config: ContainerConfig, sandbox: SandboxConfig) => Program
  readonly #reserved = new Map<string, string>()
  readonly #scope: Scope.Scope
  readonly #images: MemoryImages
  readonly #handlers: ReadonlyArray<string>
  #count = 0

  constructor(parts: {
    readonly scope: Scope.Scope
    readonly images: MemoryImages
    readonly handlers: ReadonlyArray<string>
    readonly program: MemoryPods["program"]
  }) {
    this.#scope = parts.scope
    this.#images = parts.images
    this.#handlers = parts.handlers
    this.program = parts.program
  }

  tell(type: ContainerEvent["type"], containerId: string, sandboxId: string, now: number): void {
    const pod = this.sandboxes.get(sandboxId)?.config.metadata
    const named = pod && { namespace: pod.namespace, name: pod.name, uid: pod.uid }
    this.events.publish({ containerId, type, createdAt: time(now), pod: named })
  }

  /** Sixty-four hexadecimal digits that count up. */
  #newId(): string {
    this.#count += 1
    return this.#count.toString(16).padStart(64, "0")
  }

  #reserve(what: string, name: string, id: string): Answer<void> {
    const holder = this.#reserved.get(name)
    if (holder !== undefined) {
      const message = `failed to reserve ${what} name "${name}": name "${name}" is reserved for "${holder}"`
      return fail("AlreadyExists", message)
    }
    this.#reserved.set(name, id)
    return Effect.void
  }

  #container(id: string): Answer<MemoryContainer> {
    const container = this.containers.get(id)
    return container === undefined
      ? fail("NotFound", `an error occurred when try to find container "${id}": not found`)
      : Effect.succeed(container)
  }

  #later(milliseconds: number, act: (now: number) => void): Effect.Effect<void> {
    const wait = Effect.flatMap(Effect.sleep(milliseconds), () => Effect.map(Clock.currentTimeMillis, act))
    return Effect.asVoid(Effect.forkIn(wait, this.#scope))
  }

  runSandbox(config: SandboxConfig, handler: string, now: number): Answer<string> {
    return Effect.suspend(() => {
      if (!this.#handlers.includes(handler)) {
        return fail("Failed", `failed to get sandbox runtime: no runtime for "${handler}" is configured`)
      }
      const onHost = config.linux.securityContext.namespaceOptions.network === "NODE"
      if (onHost && config.hostname !== "")
        return fail("Failed", "unable to set hostname without a private UTS namespace")
      const id = this.#newId()
      return Effect.map(this.#reserve("sandbox", sandboxName(config.metadata), id), () => {
        const ips = onHost ? [] : [`10.88.${(this.#count >> 8) & 255}.${this.#count & 255}`]
        this.sandboxes.set(id, { id, config, createdAt: now, ips, running: true, networked: true })
        this.tell("CONTAINER_CREATED_EVENT", id, id, now)
        this.tell("CONTAINER_STARTED_EVENT", id, id, now)
        return id
      })
    })
  }

  endSandbox(id: string, now: number): void {
    const sandbox = this.sandboxes.get(id)
    if (sandbox === undefined || !sandbox.running) return
    sandbox.running = false
    this.tell("CONTAINER_STOPPED_EVENT", id, id, now)
  }

  stopSandbox(id: string, now: number): Answer<void> {
    return Effect.sync(() => {
      const sandbox = this.sandboxes.get(id)
      if (sandbox === undefined) return
      for (const container of this.#containersOf(id)) exitContainer(this, container.id, { code: killed }, now)
      this.endSandbox(id, now)
      sandbox.networked = false
    })
  }

  removeSandbox(id: string, now: number): Answer<void> {
    return Effect.map(this.stopSandbox(id, now), () => {
      const sandbox = this.sandboxes.get(id)
      if (sandbox === undefined) return
      for (const container of this.#containersOf(id)) this.#forget(container, now)
      this.tell("CONTAINER_DELETED_EVENT", id, id, now)
      this.#reserved.delete(sandboxName(sandbox.config.metadata))
      this.sandboxes.delete(id)
    })
  }

  sandboxStatus(id: string): Answer<SandboxStatus> {
    return Effect.suspend(() => {
      const sandbox = this.sandboxes.get(id)
      if (sandbox === undefined) return fail("NotFound", "an error occurred when try to find sandbox: not found")
      return Effect.succeed({ ...describeSandbox(sandbox), ips: sandbox.networked ? sandbox.ips : [] })
    })
  }

  listSandboxes(labels: Labels): Answer<ReadonlyArray<Sandbox>> {
    return Effect.sync(() => {
      const listed: Array<Sandbox> = []
      for (const sandbox of this.sandboxes.values())
        if (hasLabels(sandbox.config.labels, labels)) listed.push(describeSandbox(sandbox))
      return listed
    })
  }

  #containersOf(sandboxId: string): ReadonlyArray<MemoryContainer> {
    return [...this.containers.values()].filter((container) => container.sandboxId === sandboxId)
  }

  create(sandboxId: string, config: ContainerConfig, given: SandboxConfig, now: number): Answer<string> {
    return Effect.suspend(() => {
      const sandbox = this.sandboxes.get(sandboxId)
      if (sandbox === undefined) return fail("NotFound", `failed to find sandbox id "${sandboxId}": not found`)
      if (!sandbox.running) {
        return fail(
          "NotFound",
          `failed to get sandbox container task: no running task found: task ${sandboxId} not found`
        )
      }
      const name = containerName(config, sandbox.config.metadata)
      const id = this.#newId()
      return Effect.flatMap(this.#reserve("container", name, id), () => {
        const image = this.#images.find(config.image.image)
        if (image === undefined) {
          this.#reserved.delete(name)
          return fail("NotFound", `failed to resolve image "${config.image.image}": not found`)
        }
        this.containers.set(id, {
          id,
          sandboxId,
          config,
          program: this.program(config, given),
          imageId: image.id,
          logPath: config.logPath === "" ? "" : `${given.logDirectory}/${config.logPath}`,
          createdAt: now,
          ended: Deferred.makeUnsafe<void>(),
          startedAt: undefined,
          finishedAt: undefined,
          exitCode: 0,
          reason: "",
          message: ""
        })
        this.tell("CONTAINER_CREATED_EVENT", id, sandboxId, now)
        return Effect.succeed(id)
      })
    })
  }

  start(id: string, now: number): Answer<void> {
    return Effect.flatMap(this.#container(id), (container) => {
      const state = stateOf(container)
      if (state !== "CONTAINER_CREATED") {
        const message = `failed to set starting state for container "${id}": container is in ${state} state`
        return fail("Failed", message)
      }
      const running = this.sandboxes.get(container.sandboxId)?.running === true
      const error = running ? container.program.startError : `sandbox container "${container.sandboxId}" is not running`
      if (error !== undefined) {
        container.finishedAt = now
        container.exitCode = startErrorCode
        container.reason = "StartError"
        container.message = error
        return fail("Failed", error)
      }
      container.startedAt = now
      this.tell("CONTAINER_STARTED_EVENT", id, container.sandboxId, now)
      const exits = container.program.exits
      return exits === undefined ? Effect.void : this.#later(exits.after, (at) => exitContainer(this, id, exits, at))
    })
  }

  stop(id: string, graceSeconds: number): Answer<void> {
    return Effect.suspend(() => {
      const container = this.containers.get(id)
      if (container === undefined || stateOf(container) !== "CONTAINER_RUNNING") return Effect.void
      const kill = Effect.map(Clock.currentTimeMillis, (now) => exitContainer(this, id, { code: killed }, now))
      if (graceSeconds <= 0) return kill
      const onTerm = container.program.onTerm ?? { after: 0, code: terminated }
      const signal =
        onTerm === "ignore" ? Effect.void : this.#later(onTerm.after, (at) => exitContainer(this, id, onTerm, at))
      const grace = graceSeconds * millisecondsPerSecond
      return Effect.andThen(
        signal,
        Effect.timeoutOrElse(Deferred.await(container.ended), { duration: grace, orElse: () => kill })
      )
    })
  }

  #forget(container: MemoryContainer, now: number): void {
    const pod = this.sandboxes.get(container.sandboxId)?.config.metadata
    this.tell("CONTAINER_DELETED_EVENT", container.id, container.sandboxId, now)
    if (pod !== undefined) this.#reserved.delete(containerName(container.config, pod))
    this.containers.delete(container.id)
  }

  remove(id: string, now: number): Answer<void> {
    return Effect.sync(() => {
      const container = this.containers.get(id)
      if (container === undefined) return
      exitContainer(this, id, { code: killed }, now)
      this.#forget(container, now)
    })
  }

  containerStatus(id: string): Answer<ContainerStatus> {
    return Effect.map(this.#container(id), (container) => {
      const tags = this.#images.find(container.imageId)?.repoTags ?? []
      return describeStatus(container, tags[0] ?? container.config.image.image)
    })
  }

  listContainers(labels: Labels): Answer<ReadonlyArray<Container>> {
    return Effect.sync(() => {
      const listed: Array<Container> = []
      for (const container of this.containers.values())
        if (hasLabels(container.config.labels, labels)) listed.push(describeContainer(container))
      return listed
    })
  }

  containerUsage(id: string, now: number): Answer<ContainerUsage> {
    return Effect.map(this.#container(id), (container) => usageOf(container, now))
  }

  listUsage(labels: Labels, now: number): Answer<ReadonlyArray<ContainerUsage>> {
    return Effect.sync(() =>
      [...this.containers.values()]
        .filter((c) => stateOf(c) === "CONTAINER_RUNNING" && hasLabels(c.config.labels, labels))
        .map((c) => usageOf(c, now))
    )
  }

  /** What is given is laid over what there is; the container's config tells it. */
  updateResources(id: string, resources: LinuxContainerResources): Answer<void> {
    return Effect.flatMap(this.#container(id), (container) => {
      const { linux } = container.config
      const merged = { ...linux, resources: { ...linux.resources, ...resources } }
      container.config = { ...container.config, linux: merged }
      return Effect.void
    })
  }

  /** The files are somebody else's; only a container that runs has one open. */
  reopenLog(id: string): Answer<void> {
    return Effect.flatMap(this.#container(id), (container) =>
      stateOf(container) === "CONTAINER_RUNNING" ? Effect.void : fail("Failed", "container is not running")
    )
  }

  exec(id: string, command: ReadonlyArray<string>, timeoutSeconds: number): Answer<ExecResult> {
    return Effect.flatMap(this.#container(id), (container) => {
      const state = stateOf(container)
      if (state !== "CONTAINER_RUNNING")
        return fail("Failed", `failed to exec in container: container is in ${state} state`)
      const answer = container.program.exec?.(command) ?? {}
      if (answer.error !== undefined) return fail("Failed", `failed to exec in container: ${answer.error}`)
      const { exitCode = 0, stdout, stderr, after = 0 } = answer
      const limit = timeoutSeconds * millisecondsPerSecond
      if (limit > 0 && after > limit) {
        const message = `failed to exec in container: timeout ${timeoutSeconds}s exceeded: context deadline exceeded`
        return Effect.andThen(Effect.sleep(limit), fail("DeadlineExceeded", message))
      }
      const result = { exitCode, stdout: bytes(stdout), stderr: bytes(stderr) }
      return after > 0 ? Effect.as(Effect.sleep(after), result) : Effect.succeed(result)
    })
  }
}
