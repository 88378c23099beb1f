import { HeddleError } from '@heddle/kernel';

/** What a plane has not taken: it goes on with what it had there before. */
export interface PartRefusal {
  /** As `ModelParts` name it. */
  readonly part: string;
  /** For people. */
  readonly message: string;
}

/** Our own planes. */
export type OwnPlane = 'proxy' | 'in-process';

/** What a plane asks a control plane, again and again: what is newer than what it has. */
export interface ModelQuestion {
  readonly plane: OwnPlane;
  /** Who asks, for people. */
  readonly node: string;
  /** Whose side it is: `namespace/name`. */
  readonly workload: string;
  /** The version that it has taken, which is thereby acknowledged; empty: none. */
  readonly have: string;
  /** What of that version it has refused. */
  readonly refused: readonly PartRefusal[];
  /** How long the answer may wait for something new. */
  readonly waitMs: number;
}

/** The way from what a plane has to what it is to have. */
export interface ModelAnswer {
  /** The one that it had: there is nothing new. */
  readonly version: string;
  /** What `put` and `drop` are changes of: the version that it had, or nothing at all (empty). */
  readonly base: string;
  readonly put: Readonly<Record<string, object>>;
  readonly drop: readonly string[];
}

/** Longer waits look like dead connections to what is in between. */
export const longestWaitMs = 60_000;

const texts = ['node', 'workload', 'have'] as const;
const known: ReadonlySet<string> = new Set(['plane', 'refused', 'waitMs', ...texts]);

/** Reads a question. Throws `invalid_argument` / `BAD_BODY` with all that is wrong. */
export function readQuestion(body: Readonly<Record<string, unknown>>): ModelQuestion {
  const { plane, refused, waitMs } = body;
  const problems = Object.keys(body).flatMap((key) => (known.has(key) ? [] : [`${key}: no such key`]));
  const check = (is: boolean, key: string, expected: string): void => {
    if (!is) problems.push(`${key}: expected ${expected}, found ${JSON.stringify(body[key])?.slice(0, 100)}`);
  };
  check(plane === 'proxy' || plane === 'in-process', 'plane', '"proxy" or "in-process"');
  for (const key of texts) {
    const value = body[key];
    check(typeof value === 'string' && value.length <= 300, key, 'a text of at most 300 characters');
  }
  check(/^[^/]+\/[^/]+$/.test(String(body['workload'])), 'workload', 'namespace/name');
  check(Array.isArray(refused) && refused.length <= 1000 && refused.every(isRefusal), 'refused', 'refusals');
  check(
    typeof waitMs === 'number' && waitMs >= 0 && waitMs <= longestWaitMs,
    'waitMs',
    `0 to ${longestWaitMs}`,
  );
  if (problems.length === 0) return body as unknown as ModelQuestion;
  const message = problems.join('; ');
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_BODY', message, sent: false });
}

function isRefusal(value: unknown): boolean {
  const { part, message } = (value ?? {}) as Partial<Record<string, unknown>>;
  return typeof part === 'string' && typeof message === 'string';
}

/** Reads an answer. Throws `data_loss` / `BAD_ANSWER` for what is none. */
export function readAnswer(body: unknown): ModelAnswer {
  const { version, base, put, drop } = (body ?? {}) as Partial<Record<string, unknown>>;
  const isSound =
    typeof version === 'string' &&
    typeof base === 'string' &&
    put !== null &&
    typeof put === 'object' &&
    Object.values(put).every((part) => part !== null && typeof part === 'object') &&
    Array.isArray(drop);
  if (isSound) return { version, base, put: put as ModelAnswer['put'], drop: drop as string[] };
  const message = 'the control plane has answered something that is no model';
  throw new HeddleError({ code: 'data_loss', reason: 'BAD_ANSWER', message });
}
