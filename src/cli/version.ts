/** The version of this program: the one in package.json. */
import description from "../../package.json" with { type: "json" }

export const version: string = description.version
