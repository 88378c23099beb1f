import { HeddleError } from '@heddle/kernel';
import { type AlertLabels, type LabelMatcher, problemOf } from '../notify/matcher.ts';
import type { Silence } from '../notify/notify-state.ts';
import type { SaidAlert } from '../notify/notify-step.ts';

/** Reads what somebody has posted, and gathers what is wrong with it. */
class Body {
  readonly #problems: string[] = [];

  problem(path: string, expected: string, found: unknown): undefined {
    const shown = (JSON.stringify(found) ?? 'nothing').slice(0, 80);
    this.#problems.push(`${path}: expected ${expected}, found ${shown}`);
    return undefined;
  }

  object(path: string, value: unknown): Readonly<Record<string, unknown>> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Readonly<Record<string, unknown>>;
    this.problem(path, 'an object', value);
    return {};
  }

  list(path: string, value: unknown): readonly unknown[] {
    if (Array.isArray(value)) return value;
    this.problem(path, 'a list', value);
    return [];
  }

  text(path: string, value: unknown): string {
    if (typeof value === 'string') return value;
    this.problem(path, 'a text', value);
    return '';
  }

  flag(path: string, value: unknown, fallback: boolean | undefined): boolean {
    if (typeof value === 'boolean') return value;
    if (value === undefined && fallback !== undefined) return fallback;
    this.problem(path, 'true or false', value);
    return false;
  }

  /** Milliseconds of a time of RFC 3339; undefined where there is none, or Go's zero. */
  time(path: string, value: unknown): number | undefined {
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value === 'string' && /^0001-01-01T00:00:00(\.0+)?Z$/.test(value)) return undefined;
    const ms = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number.NaN;
    return Number.isNaN(ms) ? this.problem(path, 'a time of RFC 3339', value) : ms;
  }

  labels(path: string, value: unknown): AlertLabels {
    const entries = Object.entries(this.object(path, value ?? {}));
    const read = entries.map(([name, text]) => [name, this.text(`${path}.${name}`, text)] as const);
    return Object.fromEntries(read.filter(([, text]) => text !== ''));
  }

  check(): void {
    if (this.#problems.length === 0) return;
    const message = this.#problems.slice(0, 20).join('; ');
    throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_REQUEST', message, sent: false });
  }
}

/** The alerts of `POST /api/v2/alerts`. Throws `invalid_argument` with all that is wrong with them. */
export function readAlerts(value: unknown): readonly SaidAlert[] {
  const body = new Body();
  const alerts = body.list('alerts', value).map((each, at) => {
    const path = `[${at}]`;
    const given = body.object(path, each);
    const labels = body.labels(`${path}.labels`, given['labels']);
    if (Object.keys(labels).length === 0)
      body.problem(`${path}.labels`, 'at least one label', given['labels']);
    const [startsAtMs, endsAtMs] = [
      body.time(`${path}.startsAt`, given['startsAt']),
      body.time(`${path}.endsAt`, given['endsAt']),
    ];
    if (startsAtMs !== undefined && endsAtMs !== undefined && endsAtMs < startsAtMs)
      body.problem(`${path}.endsAt`, 'a time that is not before startsAt', given['endsAt']);
    return {
      labels,
      annotations: body.labels(`${path}.annotations`, given['annotations']),
      startsAtMs,
      endsAtMs,
      generatorUrl:
        given['generatorURL'] === undefined ? '' : body.text(`${path}.generatorURL`, given['generatorURL']),
    };
  });
  body.check();
  return alerts;
}

/** The silence of `POST /api/v2/silences`. Throws `invalid_argument` with all that is wrong with it. */
export function readSilence(
  value: unknown,
  nowMs: number,
): Omit<Silence, 'id' | 'updatedAtMs'> & { readonly id?: string | undefined } {
  const body = new Body();
  const given = body.object('silence', value);
  const matchers = body
    .list('matchers', given['matchers'])
    .map((each, at) => readMatcher(body, `matchers[${at}]`, each));
  if (matchers.length === 0) body.problem('matchers', 'at least one matcher', given['matchers']);
  else if (matchers.every(isMetByNothing))
    body.problem(
      'matchers',
      'at least one matcher that an alert without the label does not meet',
      given['matchers'],
    );
  const startsAtMs = Math.max(body.time('startsAt', given['startsAt']) ?? nowMs, nowMs);
  const endsAtMs = body.time('endsAt', given['endsAt']) ?? 0;
  if (endsAtMs <= startsAtMs) body.problem('endsAt', 'a time to come, after startsAt', given['endsAt']);
  const createdBy = body.text('createdBy', given['createdBy']);
  const comment = body.text('comment', given['comment']);
  const id = given['id'] === undefined || given['id'] === '' ? undefined : body.text('id', given['id']);
  body.check();
  return { id, matchers, startsAtMs, endsAtMs, createdBy, comment };
}

function readMatcher(body: Body, path: string, value: unknown): LabelMatcher {
  const given = body.object(path, value);
  const matcher = {
    name: body.text(`${path}.name`, given['name']),
    value: body.text(`${path}.value`, given['value']),
    isRegex: body.flag(`${path}.isRegex`, given['isRegex'], undefined),
    isEqual: body.flag(`${path}.isEqual`, given['isEqual'], true),
  };
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(matcher.name))
    body.problem(`${path}.name`, 'the name of a label', matcher.name);
  if (problemOf(matcher) !== undefined) body.problem(`${path}.value`, 'a regular expression', matcher.value);
  return matcher;
}

/** A silence of such matchers alone would hold back alerts that nobody has thought of. */
function isMetByNothing({ value, isEqual, isRegex }: LabelMatcher): boolean {
  return isEqual && !isRegex && value === '';
}

/** A silence as the API shows it. */
export function shownSilence(
  silence: Omit<Silence, 'updatedAtMs'> & { readonly updatedAtMs: number },
  nowMs: number,
): object {
  const { id, matchers, startsAtMs, endsAtMs, updatedAtMs, createdBy, comment } = silence;
  const time = (ms: number): string => new Date(ms).toISOString();
  return {
    id,
    status: { state: endsAtMs <= nowMs ? 'expired' : startsAtMs > nowMs ? 'pending' : 'active' },
    updatedAt: time(updatedAtMs),
    matchers,
    startsAt: time(startsAtMs),
    endsAt: time(endsAtMs),
    createdBy,
    comment,
  };
}
