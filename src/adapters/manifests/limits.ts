/** The bounds of reading manifests, named. Texts that go into events are cut so that an event stays under 64 KiB. */

/** Bytes of one file (kubelet's maxConfigLength). */
export const maxFileBytes = 10 * 1024 * 1024
/** Bytes of one document. No pod comes near it, and a parser busy for seconds would stall every probe. */
export const maxDocumentBytes = 512 * 1024
/** Bytes of all such documents of one file that are parsed, for the same reason. */
export const maxParsedBytes = 1024 * 1024
/** Bytes of one document that is large only by long texts: a ConfigMap of 1 MiB in base64, with its quoting. */
export const maxSparseDocumentBytes = 2 * 1024 * 1024
/** YAML tokens of such a document; what is small by them is parsed fast. */
export const maxSparseTokens = 20_000
/** Bytes of all documents of one file, sparse ones included. */
export const maxFileDocumentBytes = 8 * 1024 * 1024
/** Files in the directory. */
export const maxFiles = 1_000
/** Nodes of one document that are visited, aliases followed. */
export const maxNodes = 100_000
/**
 * Bytes of one pod as it is recorded: it stands in one event twice, once as the event's own field and once in the text
 * of the command (JSON in JSON); an event has 64 KiB, and 8 KiB are for the rest of it.
 */
export const maxRecordedPodBytes = 56 * 1024
/** Variables of a container that are recorded one by one where its pod would else be too large; of more, a hash is. */
export const maxListedVariables = 64
/** Bytes of a file's name (NAME_MAX): the directory of a pod's logs is `<namespace>_<name>_<uid>`. */
export const maxFileName = 255
/** Bytes of the list of pods that one file declares, as JSON. */
export const maxPodListBytes = 12 * 1024
/** Bytes of the problems, and of the ignored fields, that are told of one file, as JSON. */
export const maxToldBytes = 6 * 1024
/** Characters of one message, and of the path of a field. */
export const maxMessageCharacters = 300
/** Pods that no manifest declares any more, whose values are still known. */
export const maxRememberedPods = 256
/** Bytes of values in one ConfigMap or Secret (`MaxSecretSize` of `pkg/apis/core/types.go`). */
export const maxObjectBytes = 1024 * 1024
/** ConfigMaps, Secrets and Services that one directory declares. */
export const maxObjects = 1_000
/** Bytes of values of them all: they are held in memory. */
export const maxAllObjectsBytes = 64 * 1024 * 1024
/** Names of keys of one object that are told, and their characters. */
export const maxKeysTold = 32
export const maxKeyCharacters = 64
