/** The flags of a connection to NATS, as the command line gives them. */
import type { Redacted } from "effect"

export interface NatsConnectionFlags {
  /** False: `--no-nats`, where a command has it. */
  readonly nats?: string | boolean
  readonly creds?: string
  readonly nkey?: string
  readonly tlsCa?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
}

/**
 * Where and as whom to connect, once flags, environment and context files are put together: what the NATS adapter makes
 * of them (its NatsTarget).
 */
export interface NatsTarget {
  readonly servers: ReadonlyArray<string>
  readonly authentication:
    | { readonly _tag: "None" }
    | { readonly _tag: "Password"; readonly user: string; readonly password: Redacted.Redacted }
    | { readonly _tag: "Token"; readonly token: Redacted.Redacted }
    | { readonly _tag: "Nkey"; readonly file: string }
    | { readonly _tag: "Creds"; readonly file: string }
  readonly tls:
    | { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly first?: boolean }
    | undefined
  readonly inboxPrefix: string | undefined
  readonly domain: string | undefined
}

/** What flags and configuration say of NATS; the environment and context files fill in the rest. Paths and URLs. */
export interface NatsOptions {
  /** `nats://host:port`, several by commas. */
  readonly nats: string | undefined
  readonly creds: string | undefined
  readonly nkey: string | undefined
  readonly tlsCa: string | undefined
  readonly tlsCert: string | undefined
  readonly tlsKey: string | undefined
}

export const natsOptions = (flags: NatsConnectionFlags): NatsOptions => ({
  nats: typeof flags.nats === "string" ? flags.nats : undefined,
  creds: flags.creds,
  nkey: flags.nkey,
  tlsCa: flags.tlsCa,
  tlsCert: flags.tlsCert,
  tlsKey: flags.tlsKey
})
