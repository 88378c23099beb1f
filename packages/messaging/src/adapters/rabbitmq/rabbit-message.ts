// A message as AMQP 0-9-1 carries it and back, with the names of CloudEvents' AMQP binding, 1.0.2, section 3.1.
import type { ConsumeMessage, Options } from 'amqplib';
import type { Stored } from '../../log/log-store.ts';
import { fromAttributes, toAttributes } from '../../message/cloud-event.ts';
import type { Message } from '../../message/message.ts';

const prefix = 'cloudEvents:';
const discards = 'heddle-discards';
const born = 'heddle-born';

const names = new Map<string, string>();

/** The same few names with every message. */
function nameOf(attribute: string): string {
  const known = names.get(attribute);
  if (known !== undefined) return known;
  const made = prefix + attribute;
  // Headers of applications are attributes too: there may be any number of those.
  if (names.size < 1000) names.set(attribute, made);
  return made;
}

/** What goes with the payload. */
export function propertiesOf(message: Message): Options.Publish {
  const headers: Record<string, string> = {};
  const attributes = toAttributes(message);
  for (const name in attributes)
    if (name !== 'datacontenttype') headers[nameOf(name)] = attributes[name] ?? '';
  return {
    headers,
    contentType: message.contentType,
    persistent: true,
    mandatory: true,
  };
}

/** The first message of every stream, so that none is empty: the end of one that is cannot be seen. */
export const bornProperties: Options.Publish = {
  headers: { [born]: '1' },
  persistent: true,
  mandatory: true,
};

/** What says that the message at this offset is gone. */
export function discardProperties(offset: number): Options.Publish {
  return { headers: { [discards]: String(offset) }, persistent: true, mandatory: true };
}

/** Where a message lies in its stream. */
export function offsetOf({ properties }: ConsumeMessage): number {
  return Number(properties.headers?.['x-stream-offset'] ?? -1);
}

/** What lies there: a message, the word that another one is gone, or nothing of interest. */
export function readMessage(
  topic: string,
  partition: number,
  found: ConsumeMessage,
): { readonly stored?: Stored; readonly discards?: number } {
  const { headers = {}, contentType } = found.properties as {
    readonly headers?: Readonly<Record<string, unknown>>;
    readonly contentType?: string;
  };
  if (headers[discards] !== undefined) return { discards: Number(headers[discards]) };
  if (headers[born] !== undefined) return {};
  const attributes: Record<string, string> = {};
  if (contentType !== undefined) attributes['datacontenttype'] = contentType;
  for (const [name, value] of Object.entries(headers))
    if (name.startsWith(prefix)) attributes[name.slice(prefix.length)] = String(value);
  // A `Buffer` is a `Uint8Array` with other ideas about `slice`; what the application gets is the plain one.
  const { buffer, byteOffset, byteLength } = found.content;
  const payload = new Uint8Array(buffer, byteOffset, byteLength);
  return {
    stored: { message: fromAttributes(topic, attributes, payload), partition, offset: offsetOf(found) },
  };
}
