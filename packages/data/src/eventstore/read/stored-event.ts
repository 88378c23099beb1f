import type { StoredEvent } from '../events/event.ts';

/** A row of `heddle_events`. */
export interface EventRow {
  readonly position: number;
  readonly stream: string;
  readonly version: number;
  readonly id: string;
  readonly type: string;
  readonly schema_version: number;
  readonly data: unknown;
  readonly metadata: Readonly<Record<string, string>>;
  readonly at_ms: number;
}

/** The columns of `EventRow`. */
export const eventColumns = 'position, stream, version, id, type, schema_version, data, metadata, at_ms';

/** As everybody else sees it. */
export function storedEvent(row: EventRow): StoredEvent {
  const { schema_version: schemaVersion, at_ms: atMs, ...same } = row;
  return { ...same, schemaVersion, atMs };
}
