import { type Call, type CallKey, callKey, type HeddleError } from '@heddle/kernel';
import type { Decision } from '@heddle/traffic';
import type { GroupView } from '../instance-group.ts';
import type { Member } from '../member.ts';

/** What is noted of one attempt. */
export interface AttemptNotes {
  readonly number: number;
  readonly startMs: number;
  member: Member<unknown, unknown> | undefined;
  view: GroupView<unknown, unknown> | undefined;
  endMs: number | undefined;
  error: HeddleError | undefined;
  answer: string | undefined;
  decision: Decision | undefined;
}

/**
 * What is noted of a call while it runs: references to things that never change, and a few times. It becomes a
 * `DecisionRecord` only if that is kept, which is when the costly part is done.
 */
export class Recording {
  readonly operation: string;
  readonly startMs: number;
  readonly attempts: AttemptNotes[] = [];
  /** What came of the call where that is a value, as an HTTP status. */
  answer: string | undefined;
  /** The answer was a failure, although it was one. */
  failed = false;
  #notes: Record<string, string> | undefined;

  constructor(operation: string, startMs: number) {
    this.operation = operation;
    this.startMs = startMs;
  }

  /** An attempt begins. It ends with `call`. */
  attempt(call: Call, number: number): AttemptNotes {
    const { clock } = call.runtime;
    const notes: AttemptNotes = {
      number,
      startMs: clock.nowMs(),
      member: undefined,
      view: undefined,
      endMs: undefined,
      error: undefined,
      answer: undefined,
      decision: undefined,
    };
    this.attempts.push(notes);
    call.set(attemptNotes, notes);
    call.onEnd(({ error }) => {
      notes.endMs = clock.nowMs();
      notes.error ??= error;
    });
    return notes;
  }

  /** How a layer stood when the call came by. */
  note(layer: string, text: string): void {
    this.#notes ??= {};
    this.#notes[layer] = text;
  }

  /** All that was noted so. */
  get notes(): Readonly<Record<string, string>> {
    return this.#notes ?? {};
  }

  /** What was decided after the attempt that began last. */
  decided(decision: Decision): void {
    const last = this.attempts.at(-1);
    if (last !== undefined) last.decision = decision;
  }
}

/** The recording of the nearest call that is recorded. */
export const recording: CallKey<Recording | undefined> = callKey<Recording | undefined>(
  'recording',
  undefined,
);

/** The notes of the attempt that this call is; whoever picks the instance writes it there. */
export const attemptNotes: CallKey<AttemptNotes | undefined> = callKey<AttemptNotes | undefined>(
  'attempt-notes',
  undefined,
);
