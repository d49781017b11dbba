/**
 * Resource quantities as far as a manifest's check needs them: whether the text is one, and which of two is larger. Exact
 * arithmetic on quantities is admission's (`k8s.io/apimachinery/pkg/api/resource`).
 */

const powers: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60
}
const syntax = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([numkMGTPE]|[KMGTPE]i)?|[eE]([+-]?\d{1,3}))$/u
/** Longest text that is a quantity. */
const maxCharacters = 128

/** Nearest number, or `undefined` where the text is no quantity. */
export const quantityNumber = (text: string): number | undefined => {
  const match = text.length > maxCharacters ? null : syntax.exec(text)
  if (match === null) return undefined
  const [, digits, suffix = "", exponent] = match
  return exponent === undefined ? Number(digits) * powers[suffix]! : Number(`${digits}e${exponent}`)
}
