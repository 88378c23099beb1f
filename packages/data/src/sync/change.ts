import { HeddleError } from '@heddle/kernel';

/** What has become of one entity. */
export interface Change<Value = unknown> {
  /** What it is, e.g. `customer`. Not what has happened to it: that is `eventType`. */
  readonly entityType: string;
  /** What has happened, e.g. `renamed`. */
  readonly eventType: string;
  readonly id: string;
  /** Grows with every change of this entity: what is older than what a target has is left out there. */
  readonly version: number;
  /** The entity as it is now; undefined: it is gone. */
  readonly value: Value | undefined;
}

/** An entity as its source has it. */
export interface SourceEntity<Value = unknown> {
  readonly id: string;
  /** Undefined where the source counts none: then a change that is read from its log may show an older state for a while. */
  readonly version: number | undefined;
  readonly value: Value;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** As the payload of a message. */
export function payloadOf(change: Change): Uint8Array {
  return encoder.encode(JSON.stringify(change));
}

/** Rejects what is no change with `invalid_argument` / `BAD_CHANGE`: it goes to the dead letters at once. */
export function changeOf(payload: Uint8Array): Change {
  try {
    const { entityType, eventType, id, version, value } = JSON.parse(decoder.decode(payload)) as Change;
    const texts = [entityType, eventType, id].every((each) => typeof each === 'string');
    if (texts && typeof version === 'number') return { entityType, eventType, id, version, value };
  } catch {
    // Said below.
  }
  const message =
    'payload: expected a change with entityType, eventType, id and version, found something else';
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_CHANGE', message, sent: false });
}
