/** What a what-if run had to take for granted, by name, each once with what it bears on. */

export const assumptionTexts = {
  "unrecorded-inputs":
    "commands that led to nothing were not recorded (recording: events); that they would have led to nothing here too is taken for granted",
  "answers-repeat":
    "after its last recorded answer a probe goes on to be answered the same: of what it would have been answered then nothing is in the log",
  "answers-unrecorded":
    "answers that changed nothing were not recorded (recording: events); between recorded ones a probe is answered what it said then",
  "answers-at-other-times": "a probe that is asked in another rhythm gets the recorded answer that is nearest in time",
  "answers-success": "a probe that was never asked in this log is answered with success",
  "runs-as-next":
    "a container that starts at another time runs, ends and answers its probes as the one that was started next in truth",
  "runs-as-previous":
    "a container that starts at another time runs, ends and answers its probes as the one that was started before it in truth",
  "work-takes-as-recorded":
    "starting, stopping and mounting take as long as the last time they were recorded, and no time where they never were",
  "stops-at-once": "a container that was never stopped in this log ends at once when told to, with exit code 143",
  "images-present": "an image that this log never mentions is on the node",
  "same-program": "programs behave as recorded although what they run with is changed",
  "same-answers": "probes are answered as recorded although they ask something else",
  "figures-without-others":
    "pods that would have stayed use what they used last, pods that would have gone use nothing; the other figures are as recorded",
  "reclaims-nothing": "what the node gave back in truth at another time it would not have given back here",
  "agent-runs-on": "the agent runs on where it was restarted in truth"
} as const
export type AssumptionName = keyof typeof assumptionTexts

export interface Assumption {
  readonly name: AssumptionName
  readonly text: string
  /** What it bears on: containers, probes, fields. */
  readonly of: ReadonlyArray<string>
}

export class Assumptions {
  private readonly found = new Map<AssumptionName, Set<string>>()

  assume(name: AssumptionName, of: string): void {
    const bearings = this.found.get(name)
    if (bearings === undefined) this.found.set(name, new Set([of]))
    else bearings.add(of)
  }

  list(): ReadonlyArray<Assumption> {
    return [...this.found].map(([name, of]) => ({ name, text: assumptionTexts[name], of: [...of] }))
  }
}
