/** What a request for a stream asks for, as kubelet reads it (`pkg/kubelet/server`, `kubelet/pkg/cri/streaming`). Pure. */

export interface ProcessStreams {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

/** Kubernetes' names of the parameters: `input`, `output`, `error`, `tty`, each `1` (`core/v1`: ExecStdinParam and others). */
export const streamsIn = (query: URLSearchParams): ProcessStreams | string => {
  const is = (name: string): boolean => query.get(name) === "1"
  const tty = is("tty")
  // With a terminal there is no stderr of its own.
  const streams = { stdin: is("input"), stdout: is("output"), stderr: is("error") && !tty, tty }
  return streams.stdin || streams.stdout || streams.stderr
    ? streams
    : "you must specify at least 1 of stdin, stdout, stderr"
}

/** Largest number of ports in one request; kubelet has no bound but that of a request's head. */
const maxPorts = 256

/** Over WebSocket the ports are named in the request: `port=80&port=81,82`. */
export const portsIn = (query: URLSearchParams): ReadonlyArray<number> | string => {
  const texts = query.getAll("port")
  if (texts.length === 0) return 'query parameter "port" is required'
  const ports: Array<number> = []
  for (const text of texts) {
    if (text === "") return 'query parameter "port" cannot be empty'
    for (const part of text.split(",")) {
      if (!/^\d+$/u.test(part)) return problem(text, part, "invalid syntax")
      const port = Number(part)
      if (port > 65_535) return problem(text, part, "value out of range")
      if (port < 1) return `port ${JSON.stringify(text)} must be > 0`
      ports.push(port)
    }
  }
  return ports.length > maxPorts ? `more than ${maxPorts} ports` : ports
}

const problem = (text: string, part: string, why: string): string =>
  `unable to parse ${JSON.stringify(text)} as a port: strconv.ParseUint: parsing ${JSON.stringify(part)}: ${why}`

/** Bounds on a command: the kernel takes no more in one word, and the request's head not much more in all. */
const maxWords = 1_024

/** Of an exec: `command=sh&command=-c&…`; undefined: none. */
export const commandIn = (query: URLSearchParams): ReadonlyArray<string> | undefined => {
  const words = query.getAll("command")
  return words.length === 0 || words.length > maxWords || words[0] === "" ? undefined : words
}

const programCharacters = 128
/** What is written down of a command: its words may be secrets. */
export const writtenCommand = (command: ReadonlyArray<string>) => ({
  program: (command[0] ?? "").slice(0, programCharacters),
  arguments: Math.max(0, command.length - 1)
})
