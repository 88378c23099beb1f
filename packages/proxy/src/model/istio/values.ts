// Values as Istio's resources have them: texts that are compared, durations, percentages, header changes.
import { list, number, object, type Place, type Read, record, text, whole } from '../document.ts';
import type { PathMatch, ValueMatch } from '../route.ts';
import { type FieldChangesDocument, isFieldName, plainPath, regexText } from '../route-schema.ts';

const anyText: Read<string> = text('a text of at most 4096 characters', (value) => value.length <= 4096);

/** A host name, short or long, or a wildcard. */
export const hostName: Read<string> = text('a host name, or "*." and one', (value) =>
  /^(\*|(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?)$/.test(value),
);

/** The name of a Gateway, with its namespace or without. */
export const gatewayName: Read<string> = text('the name of a Gateway, as name or namespace/name', (value) =>
  /^([a-z0-9-]+\/)?[a-z0-9][a-z0-9.-]*$/.test(value),
);

/** How Istio calls all sidecars where a Gateway is named. */
export const mesh = 'mesh';

/** The name of a thing of Kubernetes. */
export const label: Read<string> = text('a name of Kubernetes', (value) =>
  /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(value),
);

interface StringMatch {
  exact?: string;
  prefix?: string;
  regex?: string;
}

type Kind = 'exact' | 'prefix' | 'regex';

function stringMatch(value: Read<string>): Read<{ readonly kind: Kind; readonly value: string }> {
  return (at) => {
    const made = object<StringMatch>({ exact: value, prefix: value, regex: regexText }, [])(at);
    const [first, ...others] = Object.entries(made ?? {}) as [Kind, string][];
    if (made === undefined) return undefined;
    if (first === undefined || others.length > 0) return at.expected('exactly one of exact, prefix, regex');
    return { kind: first[0], value: first[1] };
  };
}

/** Reads a `uri`. */
export const uri: Read<PathMatch> = stringMatch(plainPath);

/** Reads the `method`, which is given exactly or not at all. */
export const method: Read<string> = (at) => {
  const made = stringMatch(text('a method, such as GET', (value) => /^[A-Z][A-Z-]{0,30}$/.test(value)))(at);
  if (made === undefined) return undefined;
  return made.kind === 'exact' ? made.value : at.expected('"exact"');
};

function conditions(name: (key: string) => boolean, lower: boolean): Read<ValueMatch[]> {
  const one: Read<Omit<ValueMatch, 'name'>> = (at) => {
    const isEmpty = JSON.stringify(at.plain) === '{}';
    return isEmpty ? { kind: 'present', value: '' } : stringMatch(anyText)(at);
  };
  const read = record('a name', name, one);
  return (at) => read(at)?.map(([key, value]) => ({ name: lower ? key.toLowerCase() : key, ...value }));
}

/** Reads `headers` of a match. */
export const headerConditions: Read<ValueMatch[]> = conditions((key) => isFieldName(key.toLowerCase()), true);

/** Reads `queryParams` of a match. */
export const queryConditions: Read<ValueMatch[]> = conditions((key) => key !== '', false);

/** Reads `withoutHeaders` of a match: here a field is missing altogether, or the condition cannot be said. */
export const missingHeaders: Read<ValueMatch[]> = (at) => {
  const made = headerConditions(at);
  if (made?.every(({ kind }) => kind === 'present') !== false)
    return made?.map(({ name }) => ({ name, kind: 'absent', value: '' }));
  return at.problem('"withoutHeaders" knows only {}: that the field is missing');
};

/** Reads a duration of Istio, such as `1.5s` or `100ms`, in milliseconds. */
export const duration: Read<number> = (at) => {
  const found = /^(\d{1,6}(?:\.\d{1,9})?)(ms|s|m|h)$/.exec(typeof at.plain === 'string' ? at.plain : '');
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  const ms = found === null ? 0 : Math.round(Number(found[1]) * (units[found[2] ?? ''] ?? 0));
  return ms >= 1 && ms <= 3_600_000 ? ms : at.expected('a duration from 1ms to 1h, such as 1.5s');
};

/** Reads `{ value: 12.5 }`. */
export const percentage: Read<{ value: number }> = object<{ value: number }>({ value: number(0, 100) }, [
  'value',
]);

const fields = record('the name of a header field', (key) => isFieldName(key.toLowerCase()), anyText);
const changes: Read<FieldChangesDocument> = (at) => {
  const made = object<{ set?: [string, string][]; add?: [string, string][]; remove?: string[] }>(
    {
      set: fields as Read<[string, string][]>,
      add: fields as Read<[string, string][]>,
      remove: list(anyText, 64),
    },
    [],
  )(at);
  if (made === undefined) return undefined;
  const lower = (pairs: [string, string][] = []): [string, string][] =>
    pairs.map(([name, value]) => [name.toLowerCase(), value]);
  return {
    set: lower(made.set),
    add: lower(made.add),
    remove: (made.remove ?? []).map((name) => name.toLowerCase()),
  };
};

/** Reads `headers` of a rule. */
export const headers: Read<{ request?: FieldChangesDocument; response?: FieldChangesDocument }> = object(
  { request: changes, response: changes },
  [],
);

/** Where a rule sends to, as written. */
export interface Destination {
  readonly host: string;
  readonly subset?: string;
  readonly port?: { number: number };
}

/** Reads a `destination`. */
export const destination: Read<Destination> = object<Destination>(
  {
    host: hostName,
    subset: label,
    port: object<{ number: number }>({ number: whole(1, 65_535) }, ['number']),
  },
  ['host'],
);

/** `VirtualService shop/orders`. */
export function titleOf(at: Place): string {
  const said = (key: string): string => {
    const value = at.key('metadata')?.key(key)?.plain;
    return typeof value === 'string' ? value : 'default';
  };
  return `${String(at.key('kind')?.plain)} ${said('namespace')}/${said('name')}`;
}

/** Reads labels, or what else is keys and texts: each with its value. */
export const labels: Read<readonly (readonly [string, string])[]> = record(
  'a key',
  () => true,
  text('a text'),
);

/** Reads `metadata`. */
export const metadata: Read<{ name: string; namespace?: string }> = object<{
  name: string;
  namespace?: string;
  labels?: unknown;
  annotations?: unknown;
}>({ name: label, namespace: label, labels, annotations: labels }, ['name']);
