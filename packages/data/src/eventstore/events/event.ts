/** What a caller states about one event. */
export interface NewEvent<Type extends string = string, Data = unknown> {
  /** Unique for ever; appending it again is the same append. Default: a new UUID. */
  readonly id?: string;
  /** What happened, e.g. `order-placed`. */
  readonly type: Type;
  /** Anything that JSON can say. */
  readonly data: Data;
  /** Of the shape of `data`; older ones are upcast when they are read. Default 1. */
  readonly schemaVersion?: number;
  /** What is not of the matter: who, why, correlation and trace. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** An event as it lies in the store. Never changed. */
export interface StoredEvent<Type extends string = string, Data = unknown> {
  readonly id: string;
  readonly type: Type;
  readonly data: Data;
  readonly schemaVersion: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly stream: string;
  /** In its stream: 1, 2, 3 … */
  readonly version: number;
  /** In the whole store: grows in the order of the commits, without gaps but for streams that were deleted. */
  readonly position: number;
  /** When it was appended: milliseconds since 1970. */
  readonly atMs: number;
}

/**
 * What an append expects of its stream: nothing, that it has no events, that it has some, or exactly this version.
 * Everything but `any` guards against a decision that was made on an old state.
 */
export type ExpectedVersion = 'any' | 'noStream' | 'exists' | number;

/** What an append came to. */
export interface Appended {
  /** The version of the stream after it. */
  readonly version: number;
  /** The position of its last event. */
  readonly position: number;
  /** True if these very events were there already: nothing was written. */
  readonly repeated: boolean;
}
