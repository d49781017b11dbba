/** Bytes in YAML and JSON: standard base64 with padding, line breaks allowed, as Go's `encoding/base64` decodes it. */

const form = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/u

/** `undefined` where the text is no base64. */
export const decodeBase64 = (text: string): Uint8Array | undefined => {
  const plain = text.replace(/[\r\n]/gu, "")
  // A copy of its own: small Buffers share one piece of memory.
  return form.test(plain) ? Uint8Array.from(Buffer.from(plain, "base64")) : undefined
}
