// What a backend has no field for travels in its metadata: a map of strings, often with limits of its own.
import { HeddleError } from '@heddle/kernel';
import type { Instance } from './instance.ts';

/** What the metadata of a backend may be. */
export interface CarrierRules {
  /** Before the keys that are ours, e.g. `heddle-`. */
  readonly prefix: string;
  /** Whether the backend takes this key. It must take the prefix followed by letters and digits. */
  isKey(key: string): boolean;
  /** Whether it takes this value. It must take ASCII without control characters, up to `longestValue`. */
  isValue(value: string): boolean;
  readonly longestValue: number;
  /** Most entries, ours included. */
  readonly mostEntries: number;
}

const numbers = ['weight', 'lastHeartbeatMs'] as const;
const texts = ['id', 'version', 'state', 'zone', 'region', 'protocol', 'health'] as const;

/** A field that can be carried; service, address and port every backend has. */
export type CarriedField = (typeof numbers)[number] | (typeof texts)[number] | 'tags';

/** What was found in a backend's metadata. Nothing of it is checked: that is for `readInstance`. */
export interface Carried {
  readonly metadata: Readonly<Record<string, string>>;
  readonly fields: Readonly<Partial<Record<CarriedField, unknown>>>;
  /** Our keys that are no fields, without the prefix. */
  readonly extras: Readonly<Record<string, string>>;
}

/**
 * An instance's metadata with the `lacking` fields and the `extras` (names of letters, short ASCII texts) in it, for
 * `readCarried`. Each stands under a key where other tools can read it; what the rules do not take goes, as JSON, in as
 * many pieces as it needs, under `<prefix>more0` and on. Throws `resource_exhausted` / `METADATA_TOO_LARGE`.
 */
export function carryFields(
  instance: Instance,
  lacking: readonly CarriedField[],
  rules: CarrierRules,
  extras: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const carried: Record<string, string> = {};
  const more: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(extras)) carried[rules.prefix + name] = text;
  for (const field of lacking) {
    const value = instance[field];
    if (typeof value !== 'object' && fits(String(value), rules))
      carried[rules.prefix + field] = String(value);
    else if (typeof value !== 'object' || value.length > 0) more[field] = value;
  }
  // Room for as many pieces as there can be, so that an entry more never makes a piece more.
  const pieces = piecesOf({ ...more, metadata: instance.metadata }, rules).length;
  const room = rules.mostEntries - Object.keys(carried).length - pieces;
  const plain = Object.entries(instance.metadata).filter(([key, value]) => isPlain(key, value, rules));
  const kept = Object.fromEntries(plain.slice(0, Math.max(0, room)));
  const rest = Object.entries(instance.metadata).filter(([key]) => !Object.hasOwn(kept, key));
  if (rest.length > 0) more['metadata'] = Object.fromEntries(rest);
  if (Object.keys(more).length > 0)
    for (const [at, piece] of piecesOf(more, rules).entries()) carried[`${rules.prefix}more${at}`] = piece;
  const all = { ...kept, ...carried };
  if (Object.keys(all).length > rules.mostEntries) throw tooLarge(instance, rules);
  return all;
}

/** Takes apart what `carryFields` made, or the metadata of an instance that others registered. Never throws. */
export function readCarried(metadata: Readonly<Record<string, string>>, prefix: string): Carried {
  const own = Object.entries(metadata).filter(([key]) => !key.startsWith(prefix));
  const fields: Partial<Record<CarriedField, unknown>> = {};
  const extras: Record<string, string> = {};
  for (const [key, value] of Object.entries(metadata)) {
    if (!key.startsWith(prefix)) continue;
    const name = key.slice(prefix.length);
    if (isOneOf(numbers, name)) fields[name] = Number(value);
    else if (isOneOf(texts, name)) fields[name] = value;
    else if (!/^more\d+$/.test(name)) extras[name] = value;
  }
  const { metadata: rest, ...more } = readPieces(metadata, prefix);
  const given = { ...Object.fromEntries(own), ...(rest as object | undefined) };
  return { metadata: given, fields: { ...fields, ...more }, extras };
}

function isPlain(key: string, value: string, rules: CarrierRules): boolean {
  return !key.startsWith(rules.prefix) && rules.isKey(key) && fits(value, rules);
}

function fits(value: string, rules: CarrierRules): boolean {
  return new TextEncoder().encode(value).byteLength <= rules.longestValue && rules.isValue(value);
}

function piecesOf(value: unknown, { longestValue }: CarrierRules): string[] {
  // In ASCII, so that no cut goes through a sign and every length is one in bytes.
  const json = JSON.stringify(value).replace(/[^\x20-\x7e]/g, escaped);
  return Array.from({ length: Math.ceil(json.length / longestValue) }, (_, at) =>
    json.slice(at * longestValue, (at + 1) * longestValue),
  );
}

function escaped(sign: string): string {
  return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function readPieces(metadata: Readonly<Record<string, string>>, prefix: string): Record<string, unknown> {
  let json = '';
  for (let at = 0; ; at++) {
    const piece = metadata[`${prefix}more${at}`];
    if (piece === undefined) break;
    json += piece;
  }
  try {
    const read: unknown = JSON.parse(json === '' ? '{}' : json);
    return typeof read === 'object' && read !== null ? { ...read } : {};
  } catch {
    // Somebody else's, or one that was cut: what stands under keys of its own is still good.
    return {};
  }
}

function isOneOf<const T extends string>(names: readonly T[], name: string): name is T {
  return names.some((each) => each === name);
}

function tooLarge({ service, id }: Instance, { mostEntries, longestValue }: CarrierRules): HeddleError {
  const message = `instance "${id}" of service "${service}": metadata: expected what fits into ${mostEntries} entries of ${longestValue} bytes, found more`;
  return new HeddleError({ code: 'resource_exhausted', reason: 'METADATA_TOO_LARGE', message, sent: false });
}
