import {
  dereferenced,
  isObject,
  type JsonObject,
  listOr,
  objectOr,
  objectsIn,
  textOr,
} from '../contract/json.ts';
import type { MessageOperationIn } from './operation.ts';

/** An operation of a document, of whichever version, before those of one topic are put together. */
interface Use {
  readonly action: MessageOperationIn['action'];
  readonly address: string;
  readonly summary: string;
  readonly messages: readonly (readonly [name: string, message: JsonObject])[];
}

/**
 * Those of an AsyncAPI document, of version 2 or 3. Operations that do the same with the same topic are one, with the
 * messages of all. A reply is an operation on the channel that it goes to, if the document says which.
 */
export function messageOperations(document: JsonObject | undefined): readonly MessageOperationIn[] {
  if (document === undefined) return [];
  const isOlder = textOr(document['asyncapi']).startsWith('2.');
  const together = new Map<string, MessageOperationIn>();
  for (const { action, address, summary, messages } of isOlder ? usesOf2(document) : usesOf3(document)) {
    const id = `${action} ${address}`;
    const before = together.get(id);
    const known = new Set(before?.messages.map(([name]) => name));
    together.set(id, {
      kind: 'message',
      id,
      summary: before === undefined || before.summary === '' ? summary : before.summary,
      action,
      address,
      messages: [...(before?.messages ?? []), ...messages.filter(([name]) => !known.has(name))],
    });
  }
  return [...together.values()];
}

function usesOf3(document: JsonObject): Use[] {
  return objectsIn(document['operations']).flatMap(([, given]) => {
    const operation = dereferenced(document, given) ?? {};
    const { action } = operation;
    if (action !== 'send' && action !== 'receive') return [];
    const summary = textOr(operation['summary']) || textOr(operation['title']);
    const reply = dereferenced(document, operation['reply']) ?? {};
    const back = action === 'send' ? 'receive' : 'send';
    return [
      ...useOf3(document, operation, action, summary),
      ...useOf3(document, reply, back, summary === '' ? '' : `Reply: ${summary}`),
    ];
  });
}

/** Of an operation, or of a reply: both have a channel and perhaps some of its messages. */
function useOf3(document: JsonObject, holder: JsonObject, action: Use['action'], summary: string): Use[] {
  const channel = dereferenced(document, holder['channel']);
  if (channel === undefined) return [];
  const address = textOr(channel['address']) || lastOf(holder['channel']);
  const named =
    holder['messages'] === undefined
      ? objectsIn(channel['messages'])
      : listOr(holder['messages']).map((one) => [lastOf(one), one] as const);
  return [{ action, address, summary, messages: messagesOf(document, named) }];
}

/** What others publish to a channel of version 2 the application takes, and what they subscribe to it sends. */
function usesOf2(document: JsonObject): Use[] {
  return objectsIn(document['channels']).flatMap(([address, given]) => {
    const item = dereferenced(document, given) ?? {};
    return (['publish', 'subscribe'] as const).flatMap((verb): Use[] => {
      const operation = item[verb];
      if (!isObject(operation)) return [];
      const name = textOr(operation['operationId']) || address;
      const message = objectOr(operation['message']);
      const all = Array.isArray(message['oneOf']) ? listOr(message['oneOf']) : [message];
      const named = all.map((one, at) => {
        const found = dereferenced(document, one) ?? {};
        const own = textOr(found['messageId']) || textOr(found['title']);
        return [lastOf(one) || own || (at === 0 ? name : `${name}${at + 1}`), one] as const;
      });
      const action = verb === 'publish' ? 'receive' : 'send';
      const summary = textOr(operation['summary']) || textOr(operation['description']);
      return [{ action, address, summary, messages: messagesOf(document, named) }];
    });
  });
}

function messagesOf(
  document: JsonObject,
  named: readonly (readonly [name: string, message: unknown])[],
): Use['messages'] {
  return named.flatMap(([fallback, given]) => {
    const found = dereferenced(document, given);
    if (found === undefined) return [];
    const message = withTraits(document, found);
    return [[textOr(message['name']) || fallback, withPayload(message)] as const];
  });
}

/** What a trait says counts where the message says nothing. */
function withTraits(document: JsonObject, message: JsonObject): JsonObject {
  const traits = listOr(message['traits']).map((one) => dereferenced(document, one) ?? {});
  return Object.assign({}, ...traits, message) as JsonObject;
}

/** With a JSON Schema or none as payload, and what stands there otherwise as `foreign`, with the language it is in. */
function withPayload(message: JsonObject): JsonObject {
  const { payload } = message;
  const isWrapped = isObject(payload) && typeof payload['schemaFormat'] === 'string';
  const format = textOr(isWrapped ? payload['schemaFormat'] : message['schemaFormat']);
  const schema = isWrapped ? payload['schema'] : payload;
  if (format === '' || /aai\.asyncapi|schema\+(json|yaml)|openapi/.test(format))
    return { ...message, payload: schema };
  return { ...message, payload: undefined, foreign: { format, schema } };
}

/** The last part of what a reference leads to. */
function lastOf(value: unknown): string {
  const reference = textOr(objectOr(value)['$ref']);
  const last = reference.split('/').at(-1) ?? '';
  return decodeURIComponent(last).replaceAll('~1', '/').replaceAll('~0', '~');
}
