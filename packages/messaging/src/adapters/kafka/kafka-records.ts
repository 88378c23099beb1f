// A message as a record of Kafka and back: the binary mode of CloudEvents' binding for Kafka, 1.0.2, section 3.2.
import type { KafkaRecord } from '@platformatic/kafka';
import type { Stored } from '../../log/log-store.ts';
import { fromAttributes, toAttributes } from '../../message/cloud-event.ts';
import type { Message } from '../../message/message.ts';
import { headerName, type OutgoingRecord } from './kafka-batch.ts';

const utf8 = new TextDecoder();
const prefix = 'ce_';
const contentType = 'content-type';
/** A record that says that the one at this offset of its partition is gone. */
const discardHeader = 'heddle-discards';

const names = new Map<string, Uint8Array>();

/** The same few names with every message. */
function nameOf(attribute: string): Uint8Array {
  const known = names.get(attribute);
  if (known !== undefined) return known;
  const made = headerName(attribute === 'datacontenttype' ? contentType : prefix + attribute);
  // Headers of applications are attributes too: there may be any number of those.
  if (names.size < 1000) names.set(attribute, made);
  return made;
}

/** The record that a message is kept as. */
export function recordOf(message: Message): OutgoingRecord {
  const headers: Uint8Array[] = [];
  const headerValues: string[] = [];
  const attributes = toAttributes(message);
  for (const name in attributes) {
    // The record has a key of its own.
    if (name === 'partitionkey') continue;
    headers.push(nameOf(name));
    headerValues.push(attributes[name] ?? '');
  }
  const { key, payload: value, timeMs } = message;
  return { key, value, timeMs: Math.floor(timeMs), headers, headerValues };
}

/** The record that takes another one away. */
export function discardOf(offset: number, timeMs: number): OutgoingRecord {
  const headers = [headerName(discardHeader)];
  return {
    key: '',
    value: new Uint8Array(),
    timeMs: Math.floor(timeMs),
    headers,
    headerValues: [String(offset)],
  };
}

/** What a record is: a message, or the word that another one is gone. */
export function readRecord(
  topic: string,
  partition: number,
  offset: number,
  record: KafkaRecord,
): { readonly stored: Stored } | { readonly discards: number } {
  const attributes: Record<string, string> =
    record.key === null ? {} : { partitionkey: utf8.decode(record.key) };
  for (const [key, value] of record.headers) {
    const name = key === null ? '' : utf8.decode(key);
    const text = value === null ? '' : utf8.decode(value);
    if (name === discardHeader) return { discards: Number(text) };
    if (name === contentType) attributes['datacontenttype'] = text;
    else if (name.startsWith(prefix)) attributes[name.slice(prefix.length)] = text;
  }
  const value = record.value ?? new Uint8Array();
  // A copy: what was read comes in blocks, of which a message that is kept would keep the whole.
  const payload = new Uint8Array(value);
  return { stored: { message: fromAttributes(topic, attributes, payload), partition, offset } };
}
