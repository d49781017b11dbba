/**
 * Files of variables (KEP-3721, `pkg/kubelet/util/env/env_util.go`): one `NAME='value'` each, the value in single quotes
 * and over several lines if need be; blank lines and comments between them. Nothing is expanded or unescaped.
 */
import { Result, Schema } from "effect"

export class EnvFileInvalid extends Schema.TaggedError<EnvFileInvalid>()("EnvFileInvalid", {
  line: Schema.Int,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.problem} at line ${this.line}`
  }
}

const fail = (line: number, problem: string) => Result.fail(new EnvFileInvalid({ line, problem }))

/**
 * The value of a name, empty where the file does not have it: an empty value counts as none. What stands behind the name
 * is not read.
 */
export const envFileValue = (text: string, key: string): Result.Result<string, EnvFileInvalid> => {
  let at = 0
  let line = 1
  while (at < text.length) {
    const newline = text.indexOf("\n", at)
    const end = newline === -1 ? text.length : newline
    const content = text.slice(at, end).trimStart()
    if (content.trim() === "" || content.startsWith("#")) {
      at = end + 1
      line += 1
      continue
    }
    const start = end - content.length
    const equals = content.indexOf("=")
    if (equals <= 0) return fail(line, "invalid environment variable format")
    const name = content.slice(0, equals)
    if (/\s/u.test(name)) return fail(line, "invalid environment variable format: whitespace before '=' is not allowed")
    if (content[equals + 1] !== "'")
      return fail(line, "invalid environment variable format: value must be enclosed in single quotes")
    const from = start + equals + 2
    const close = text.indexOf("'", from)
    if (close === -1) return fail(line, "unclosed single quote")
    const value = text.slice(from, close)
    const lines = value.split("\n").length - 1
    const next = text.indexOf("\n", close)
    const rest = text.slice(close + 1, next === -1 ? text.length : next).trim()
    if (rest !== "" && !rest.startsWith("#")) return fail(line + lines, "unexpected content after closing quote")
    if (name === key) return Result.succeed(value)
    line += lines + 1
    at = next === -1 ? text.length : next + 1
  }
  return Result.succeed("")
}
