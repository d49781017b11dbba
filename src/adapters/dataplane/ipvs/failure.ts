/** What the kernel's refusals are called in the words of the port. */
import type { NetlinkError } from "../../netlink/error.ts"
import { DataplaneError } from "../port.ts"

const reasonOf = ({ reason }: NetlinkError): DataplaneError["reason"] => {
  switch (reason) {
    case "NoPermission":
    case "Unsupported":
    case "Refused":
    case "Busy":
      return reason
    // It is not known what was done: asking for all anew helps.
    case "Overrun":
    case "Timeout":
    case "Interrupted":
      return "Busy"
    default:
      return "Failed"
  }
}

export const dataplaneError = (error: NetlinkError): DataplaneError =>
  new DataplaneError({
    reason: reasonOf(error),
    operation: error.operation,
    message: error.message,
    ...(error.errno === undefined ? {} : { errno: error.errno })
  })
