import { uniqueUses } from '../model/merge.ts';
import type { Checked } from '../model/problem.ts';
import { type Capability, capabilityOf, type EntityUse, type System, systemOf } from '../model/system.ts';

/** A `.proto` file. */
export interface ProtoFile {
  readonly path: string;
  readonly text: string;
}

const scalars = new Set(
  'double float int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64 bool string bytes'.split(
    ' ',
  ),
);
const field =
  /(?:^|[;{}])\s*(?:repeated\s+|optional\s+)?(?:map\s*<\s*\w+\s*,\s*)?(\.?[\w.]+)\s*>?\s+\w+\s*=\s*\d+/gm;

/**
 * The services of protobuf contracts: one capability each, its methods the operations. The messages inside its
 * requests and responses are its entities, read by methods that are declared free of side effects or named so.
 */
export function readProtobuf(files: readonly ProtoFile[]): Checked<System> {
  const texts = files.map(({ text }) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/[^\n]*/g, ''));
  const messages = new Map(texts.flatMap((text) => blocks(text, 'message')));
  const capabilities = texts.flatMap((text) =>
    blocks(text, 'service').map(([name, body]) => service(name, body, messages)),
  );
  if (capabilities.length > 0) return { ok: true, value: systemOf({ capabilities }) };
  return { ok: false, problems: [{ path: [], message: 'expected a service; the contracts declare none' }] };
}

function service(name: string, body: string, messages: ReadonlyMap<string, string>): Capability {
  const pattern =
    /\brpc\s+(\w+)\s*\(\s*(?:stream\s+)?([\w.]+)\s*\)\s*returns\s*\(\s*(?:stream\s+)?([\w.]+)\s*\)/g;
  const found = [...body.matchAll(pattern)];
  const uses = found.flatMap(([, method = '', request = '', response = ''], at): EntityUse[] => {
    const start = found[at]?.index ?? 0;
    const options = body.slice(start, found[at + 1]?.index ?? body.length);
    const safe =
      /NO_SIDE_EFFECTS/.test(options) || /^(Get|List|Find|Search|Query|Watch|Quote|Count)/.test(method);
    const types = new Set([...typesIn(request, messages), ...typesIn(response, messages)]);
    return [...types].map((entity) => ({ entity, access: safe ? 'read' : 'write' }));
  });
  const operations = found.map(([, method = '']) => method);
  return capabilityOf({ name, operations, entities: uniqueUses(uses) });
}

/** The message types of the fields of a message, and theirs. */
function typesIn(
  message: string,
  messages: ReadonlyMap<string, string>,
  seen: Set<string> = new Set(),
): Set<string> {
  const body = messages.get(last(message)) ?? '';
  for (const [, type = ''] of body.matchAll(field)) {
    const name = last(type);
    if (scalars.has(name) || seen.has(name)) continue;
    // Enumerations and types of other files are no data of ours.
    if (!messages.has(name)) continue;
    seen.add(name);
    typesIn(name, messages, seen);
  }
  return seen;
}

function last(name: string): string {
  return name.split('.').at(-1) as string;
}

/** The named blocks of a kind, with what is between their braces. */
function blocks(text: string, kind: 'message' | 'service'): [name: string, body: string][] {
  return [...text.matchAll(new RegExp(`\\b${kind}\\s+(\\w+)\\s*\\{`, 'g'))].map((match) => {
    const start = match.index + match[0].length;
    let depth = 1;
    let end = start;
    for (; end < text.length && depth > 0; end++) {
      if (text[end] === '{') depth++;
      else if (text[end] === '}') depth--;
    }
    return [match[1] as string, text.slice(start, end - 1)];
  });
}
