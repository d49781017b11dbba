/** Elements, made without markup: text is always a text node, so nothing in a log can become an element or a script. */

type Attributes = Readonly<Record<string, string | undefined>>
type Child = Node | string

const fill = (element: Element, attributes: Attributes, children: ReadonlyArray<Child>): void => {
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(name, value)
  element.append(...children)
}

export const el = <Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: ReadonlyArray<Child>
): HTMLElementTagNameMap[Tag] => {
  const element = document.createElement(tag)
  fill(element, attributes, children)
  return element
}

export const button = (
  label: string,
  attributes: Attributes,
  press: () => void,
  ...children: ReadonlyArray<Child>
): HTMLButtonElement => {
  const element = el("button", { type: "button", "aria-label": label, ...attributes }, ...children)
  element.addEventListener("click", press)
  return element
}

const svg = "http://www.w3.org/2000/svg"
/** An icon of strokes in a box of 16 by 16. `path` is ours, never of a log. */
export const icon = (path: string): SVGSVGElement => {
  const element = document.createElementNS(svg, "svg")
  fill(element, { viewBox: "0 0 16 16", width: "16", height: "16", class: "icon", "aria-hidden": "true" }, [])
  const line = document.createElementNS(svg, "path")
  fill(line, { d: path }, [])
  element.append(line)
  return element
}

/**
 * Characters that could reorder or hide text (bidirectional overrides, controls) as visible escapes; line feeds and tabs
 * stay for those who show them.
 */
export const plain = (text: string): string =>
  text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu,
    (c) => `\\u${(c.codePointAt(0) as number).toString(16).padStart(4, "0")}`
  )
