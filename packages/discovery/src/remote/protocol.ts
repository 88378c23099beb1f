import { codes, HeddleError } from '@heddle/kernel';
import type { Instance } from '../registry/instance.ts';
import type { Position } from '../registry/snapshot.ts';

// The registry's HTTP protocol, version 1. JSON in both directions; the watch answers with one JSON object per line.
//
//   GET    /v1/status                                  LeaseStoreStatus
//   GET    /v1/services                                ServicesAnswer
//   GET    /v1/services/{service}/instances            SnapshotLine
//   GET    /v1/services/{service}/watch?term=&revision=  WatchLine, WatchLine …
//   PUT    /v1/services/{service}/instances/{id}       PutBody -> Position
//   POST   /v1/services/{service}/instances/{id}/renew RenewBody -> Position
//   DELETE /v1/services/{service}/instances/{id}?lease=  Position
//
// Anything that fails: a fitting status and an ErrorAnswer.

/** The answer to `GET /v1/services`. */
export interface ServicesAnswer extends Position {
  readonly services: readonly string[];
}

/** All instances at a position. */
export interface SnapshotLine extends Position {
  readonly kind: 'snapshot';
  readonly instances: readonly Instance[];
}

/** What happened between the last line's position and this one's, in order. No `instance`: removed. */
export interface ChangesLine extends Position {
  readonly kind: 'changes';
  readonly changes: readonly { readonly id: string; readonly instance?: Instance }[];
}

/** Nothing happened up to this position. Sent so that a silent connection is known to be a broken one. */
export interface AliveLine extends Position {
  readonly kind: 'alive';
}

/** One line of a watch. The first is a snapshot, unless the watch was resumed from a position still known. */
export type WatchLine = SnapshotLine | ChangesLine | AliveLine;

/** Body of a registration; see `LeaseClient.put`. */
export interface PutBody {
  readonly instance: Instance;
  readonly lease: string;
  readonly ttlMs: number;
  readonly fresh: boolean;
}

/** Body of a renewal. */
export interface RenewBody {
  readonly lease: string;
  readonly health?: string;
}

/** How often a server sends a line when nothing happens. */
export const aliveEveryMs: number = 5000;

/** A client that has heard nothing for this long takes the connection for broken. */
export const silenceMs: number = 3 * aliveEveryMs;

/** Largest body of a request. An instance with the most and longest metadata stays below. */
export const longestBodyBytes: number = 256 * 1024;

/** The path of a service's instances, or of one of them. */
export function instancesPath(service: string, id?: string): string {
  const all = `/v1/services/${encodeURIComponent(service)}/instances`;
  return id === undefined ? all : `${all}/${encodeURIComponent(id)}`;
}

/** Any value as UTF-8 JSON. */
export function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** The value, or undefined if the bytes are no JSON in UTF-8. */
export function decodeJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** A value's members, whatever it is. */
export function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** The error as the protocol carries it. */
export function encodeError({ code, reason, message, details }: HeddleError): Uint8Array {
  return encodeJson({ error: { code, reason, message, details } });
}

/** The error that an answer carries, or one that says that this is no answer of a registry. */
export function decodeError(status: number, body: Uint8Array): HeddleError {
  const { code, reason, message } = membersOf(membersOf(decodeJson(body))['error']);
  const known = codes.find((each) => each === code);
  if (known !== undefined && typeof reason === 'string' && typeof message === 'string') {
    return new HeddleError({ code: known, reason, message });
  }
  const text = `expected a registry's answer, found status ${status} without one; is this a registry's address?`;
  return new HeddleError({ code: 'unavailable', reason: 'NOT_A_REGISTRY', message: text });
}

/** The position in an answer; undefined if it has none. */
export function positionOf(value: unknown): Position | undefined {
  const { term, revision } = membersOf(value);
  if (!Number.isSafeInteger(term) || !Number.isSafeInteger(revision)) return undefined;
  return { term: term as number, revision: revision as number };
}
