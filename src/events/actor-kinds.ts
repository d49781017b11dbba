/** The kinds of actors, which are also the third token of a NATS subject. */
export const actorKinds = [
  "node",
  "source",
  "runtime",
  "image",
  "pod",
  "probe",
  "volume",
  "log",
  "stream",
  "service",
  "endpoint",
  "proxy",
  "api",
  "eviction"
] as const
export type ActorKind = (typeof actorKinds)[number]
