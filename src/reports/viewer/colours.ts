/** Colours of the style sheet for what is drawn on a canvas; read again when the theme changes. */
import { type StateName, states, type Tone, tones } from "../timeline/model.ts"

export interface ToneColours {
  readonly strong: string
  readonly soft: string
  readonly ink: string
}

export interface Colours {
  readonly panel: string
  readonly band: string
  readonly ink: string
  readonly muted: string
  readonly faint: string
  readonly line: string
  readonly accent: string
  readonly accentSoft: string
  readonly severity: ReadonlyArray<string>
  readonly tone: Readonly<Record<Tone, ToneColours>>
}

export const readColours = (): Colours => {
  const style = getComputedStyle(document.documentElement)
  const value = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  return {
    panel: value("panel"),
    band: value("band"),
    ink: value("ink"),
    muted: value("muted"),
    faint: value("faint"),
    line: value("line"),
    accent: value("accent"),
    accentSoft: value("accent-soft"),
    severity: ["trace", "debug", "info", "warn", "error"].map((name) => value(`severity-${name}`)),
    tone: Object.fromEntries(
      tones.map((tone) => [
        tone,
        { strong: value(`tone-${tone}`), soft: value(`tone-${tone}-soft`), ink: value(`tone-${tone}-ink`) }
      ])
    ) as Record<Tone, ToneColours>
  }
}

/** The tone of a state by its name; of one that this page does not know: idle. */
export const toneOf = (state: string): Tone => states[state as StateName] ?? "idle"
