import { HeddleError } from '@heddle/kernel';
import type { Message } from '../message/message.ts';
import type { Codec } from './codec.ts';

/** How payloads of older schema versions become those of the next: by the version that a step starts from. */
export type MessageUpcasts = Readonly<Record<number, (value: never) => unknown>>;

/** How a topic reads messages of versions that are not its own. */
export interface Evolution {
  /** Steps from version to version, for payloads that are JSON. Without one, an older version is read as it is. */
  readonly upcasts?: MessageUpcasts;
  /**
   * A version newer than this process knows: `read` it as far as the schema goes, which is right where new versions are
   * `forward` compatible; or `refuse` it with `SCHEMA_TOO_NEW`, a dead letter to replay after the update. Default `read`.
   */
  readonly newer?: 'read' | 'refuse';
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a message as a value of the version at hand. Rejects with `invalid_argument`: `WRONG_SCHEMA` for one of another name,
 * `SCHEMA_TOO_NEW`, `UPCAST_FAILED`, or what the codec says. No other try would make it better.
 */
export async function readAs<T>(
  codec: Codec<T>,
  {
    schema,
    schemaVersion,
    upcasts = {},
    newer = 'read',
  }: Evolution & Pick<Message, 'schema' | 'schemaVersion'>,
  message: Message,
): Promise<T> {
  const known = schema !== '' && message.schema !== '';
  if (known && message.schema !== schema)
    throw refused(
      'WRONG_SCHEMA',
      `expected schema ${schema}, found ${message.schema} in message ${message.id}`,
    );
  if (known && newer === 'refuse' && message.schemaVersion > schemaVersion)
    throw refused(
      'SCHEMA_TOO_NEW',
      `message ${message.id} is of ${schema} ${message.schemaVersion}; this process knows ${schemaVersion}`,
    );
  let version = message.schemaVersion;
  if (upcasts[version] === undefined || version >= schemaVersion) return codec.decode(message.payload);
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(message.payload));
    for (; version < schemaVersion; version += 1) value = upcasts[version]?.(value as never) ?? value;
  } catch (thrown) {
    const text = `message ${message.id} cannot be brought from ${schema} ${version} to ${version + 1}`;
    throw refused('UPCAST_FAILED', text, thrown);
  }
  return codec.decode(new TextEncoder().encode(JSON.stringify(value)));
}

function refused(reason: string, message: string, cause?: unknown): HeddleError {
  return new HeddleError({ code: 'invalid_argument', reason, message, sent: false, cause });
}
