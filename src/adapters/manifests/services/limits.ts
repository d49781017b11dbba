/** The bounds of reading Services and EndpointSlices, named. */

/** Files in the directory. */
export const maxServiceFiles = 50_000
/** Bytes of one file. JSON is parsed at once, at about 100 MB a second. */
export const maxServiceFileBytes = 16 * 1024 * 1024
/** Bytes of one YAML document: a slice of 1,000 endpoints has about 200 KiB. Larger ones are to be JSON. */
export const maxYamlDocumentBytes = 512 * 1024
/** Bytes of a JSON file that is read a second time for the lines of what is wrong in it. */
export const maxPlacedBytes = 1024 * 1024
/** Milliseconds of parsing before others get a turn: probes wait for nobody's files. */
export const sliceMillis = 8
