/** The bounds of the kernel, named. */

/** Commands that wait for one actor. A sender waits while the mailbox is full. */
export const mailboxCapacity = 1024
/** Commands that one actor handles in one turn, before others get theirs. */
export const turnCommands = 64
/** Events that one turn may append together. */
export const turnEvents = 256
/** Milliseconds of turns before the event loop gets its own turn. */
export const sliceMillis = 4
/** Erlang's restart intensity: more failures than this within the period go up to the supervisor. */
export const restartIntensity = 5
/** Milliseconds. */
export const restartPeriod = 60_000
/** Milliseconds before an observation that died is started again. */
export const observationPause = 1_000
/** Characters of an error that go into `ActorFailed`. */
export const errorCharacters = 2_048
/** Milliseconds before an actor that failed again within the period is rebuilt; doubles with each failure. The first comes at once. */
export const restartPause = 100
/** Milliseconds. */
export const maxRestartPause = 60_000
