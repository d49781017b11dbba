/** What was typed: the bytes of a terminal in raw mode as keys. */

export type Key =
  | "up"
  | "down"
  | "pageup"
  | "pagedown"
  | "home"
  | "end"
  | "enter"
  | "escape"
  | "tab"
  | "backtab"
  | "backspace"
  | "interrupt"
  /** Ctrl-U: the line typed so far is thrown away. */
  | "clear"
  /** One character as it is typed. */
  | { readonly text: string }

/** xterm's control sequences (ctlseqs, "PC-Style Function Keys"), with those of the Linux console and of rxvt. */
const sequences: Readonly<Record<string, Key>> = {
  "[A": "up",
  "[B": "down",
  OA: "up",
  OB: "down",
  "[5~": "pageup",
  "[6~": "pagedown",
  "[H": "home",
  "[F": "end",
  OH: "home",
  OF: "end",
  "[1~": "home",
  "[4~": "end",
  "[7~": "home",
  "[8~": "end",
  "[Z": "backtab"
}
const control: Readonly<Record<string, Key>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\u007f": "backspace",
  "\b": "backspace",
  "\u0003": "interrupt",
  "\u0004": "interrupt",
  "\u0015": "clear"
}
const escapeCharacter = "\u001b"
const sequence = /^\u001b(\[[0-9;]*[~A-Za-z]|O[A-Za-z])/u

/** The keys of what was read at once. A sequence that is not known is no key; an escape before nothing else is Escape. */
export const keysIn = (read: string): ReadonlyArray<Key> => {
  const keys: Array<Key> = []
  let rest = read
  while (rest !== "") {
    const found = sequence.exec(rest)
    if (found !== null) {
      const key = sequences[found[1] as string]
      if (key !== undefined) keys.push(key)
      rest = rest.slice(found[0].length)
      continue
    }
    const [character = ""] = rest
    rest = rest.slice(character.length)
    if (character === escapeCharacter) keys.push("escape")
    else if (control[character] !== undefined) keys.push(control[character] as Key)
    else if (!/[\u0000-\u001f\u0080-\u009f]/u.test(character)) keys.push({ text: character })
  }
  return keys
}
