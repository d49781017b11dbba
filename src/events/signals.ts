/**
 * Names of the signals that may stop a container (KEP-4960; `pkg/apis/core/validation/validation.go`
 * supportedStopSignalsLinux of Kubernetes 1.36), as a pod writes them.
 */
const plain =
  `ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP
  TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN`.split(/\s+/u)
const realTime = [
  ...Array.from({ length: 15 }, (_, i) => `RTMIN+${i + 1}`),
  ...Array.from({ length: 14 }, (_, i) => `RTMAX-${14 - i}`),
  "RTMAX"
]

/** For pods whose operating system is linux. In the order of the CRI's enumeration. */
export const stopSignals: ReadonlyArray<string> = [...plain, ...realTime].map((name) => `SIG${name}`)
/** For pods of windows. */
export const windowsStopSignals: ReadonlyArray<string> = ["SIGTERM", "SIGKILL"]
