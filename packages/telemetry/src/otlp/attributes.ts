import { HeddleError } from '@heddle/kernel';
import type { ProtobufReader } from './protobuf-reader.ts';
import type { ProtobufWriter } from './protobuf-writer.ts';
import type { Attributes, AttributeValue, Resource } from './signal.ts';

/** Deeper values are nobody's data: they are meant to fill the stack. */
export const deepest = 16;

/** A resource that is not known yet. */
export function unknownResource(): Resource {
  return { service: 'unknown', attributes: {} };
}

/** Reads a `Resource` into `resource`, which spans that came before it may have already. */
export function readResource(reader: ProtobufReader, resource: Resource): void {
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) readAttribute(reader, resource.attributes);
    else reader.skip(tag);
  }
  reader.close(outer);
  nameService(resource);
}

/** Takes the service's name from its attributes. */
export function nameService(resource: Resource): void {
  const service = resource.attributes['service.name'];
  if (typeof service === 'string' && service !== '') resource.service = service;
}

/** Reads a `KeyValue` into `into`. */
export function readAttribute(reader: ProtobufReader, into: Record<string, AttributeValue>, depth = 0): void {
  const outer = reader.open();
  let key = '';
  let value: AttributeValue = null;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) key = reader.text();
    else if (tag === 18) value = readAnyValue(reader, depth);
    else reader.skip(tag);
  }
  reader.close(outer);
  // An own property, whatever the name: `__proto__` must not become one's prototype.
  if (key === '__proto__') Object.defineProperty(into, key, { value, enumerable: true, configurable: true });
  else into[key] = value;
}

/** Reads an `AnyValue`. */
export function readAnyValue(reader: ProtobufReader, depth = 0): AttributeValue {
  if (depth > deepest) throw tooDeep('BAD_PROTOBUF');
  const outer = reader.open();
  let value: AttributeValue = null;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) value = reader.text();
    else if (tag === 16) value = reader.uint() !== 0;
    else if (tag === 24) value = reader.int();
    else if (tag === 33) value = reader.double();
    else if (tag === 42) value = readArray(reader, depth + 1);
    else if (tag === 50) value = readKeyValues(reader, depth + 1);
    else if (tag === 58) value = Buffer.from(reader.bytes()).toString('base64');
    else reader.skip(tag);
  }
  reader.close(outer);
  return value;
}

function readArray(reader: ProtobufReader, depth: number): AttributeValue[] {
  const values: AttributeValue[] = [];
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) values.push(readAnyValue(reader, depth));
    else reader.skip(tag);
  }
  reader.close(outer);
  return values;
}

function readKeyValues(reader: ProtobufReader, depth: number): Record<string, AttributeValue> {
  const values: Record<string, AttributeValue> = {};
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) readAttribute(reader, values, depth);
    else reader.skip(tag);
  }
  reader.close(outer);
  return values;
}

/** Writes attributes as repeated `KeyValue`. */
export function writeAttributes(writer: ProtobufWriter, field: number, attributes: Attributes): void {
  for (const key in attributes) {
    const value = attributes[key];
    if (value === undefined) continue;
    const start = writer.open(field);
    writer.text(1, key);
    writeAnyValue(writer, 2, value);
    writer.close(start);
  }
}

/** Writes an `AnyValue`. */
export function writeAnyValue(writer: ProtobufWriter, field: number, value: AttributeValue): void {
  const start = writer.open(field);
  if (typeof value === 'string') writer.text(1, value);
  else if (typeof value === 'boolean') writer.bool(2, value);
  else if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) writer.int(3, value);
    else writer.double(4, value);
  } else if (Array.isArray(value)) {
    const list = writer.open(5);
    for (const each of value as readonly AttributeValue[]) writeAnyValue(writer, 1, each);
    writer.close(list);
  } else if (value !== null) {
    const list = writer.open(6);
    writeAttributes(writer, 1, value as Attributes);
    writer.close(list);
  }
  writer.close(start);
}

/** What is said of a value that is deeper than that. */
export function tooDeep(reason: 'BAD_PROTOBUF' | 'BAD_JSON'): HeddleError {
  const message = `expected an attribute of at most ${deepest} levels, found a deeper one`;
  return new HeddleError({ code: 'invalid_argument', reason, message });
}
