import { badContract, type JsonObject } from './json.ts';
import { jsonSchemaOf, type SchemaLike } from './schema.ts';

/** What a service does with the messages of a topic. */
export interface TopicUse {
  /** `send`: it publishes them; `receive`: it takes them. */
  readonly action: 'send' | 'receive';
  readonly summary: string;
  /** By the message's type, as in `order.placed`. */
  readonly messages: Readonly<
    Record<
      string,
      { readonly schema: SchemaLike; readonly summary?: string; readonly example?: JsonObject[string] }
    >
  >;
}

/** What messages a service sends and takes. */
export interface MessageContractInit {
  readonly title: string;
  readonly version: string;
  readonly description?: string;
  /** By topic. Both uses of one topic are two members of a list. */
  readonly topics: Readonly<Record<string, TopicUse | readonly TopicUse[]>>;
}

/** The AsyncAPI 3 document of a message contract. Throws `BAD_CONTRACT` with all that is wrong. */
export function messageContract({ title, version, description, topics }: MessageContractInit): JsonObject {
  const problems: string[] = [];
  const channels: Record<string, JsonObject> = {};
  const operations: Record<string, JsonObject> = {};
  for (const [topic, given] of Object.entries(topics)) {
    const uses = Array.isArray(given) ? (given as readonly TopicUse[]) : [given as TopicUse];
    if (uses.length === 0 || uses.some(({ messages }) => Object.keys(messages).length === 0))
      problems.push(`"${topic}": expected at least one use with at least one message`);
    const id = idOf(topic);
    channels[id] = { address: topic, messages: Object.assign({}, ...uses.map(messagesOf)) as JsonObject };
    for (const use of uses) {
      const { action, summary, messages } = use;
      operations[`${action}.${id}`] = {
        action,
        summary,
        channel: { $ref: `#/channels/${id}` },
        messages: Object.keys(messages).map((type) => ({ $ref: `#/channels/${id}/messages/${idOf(type)}` })),
      };
    }
  }
  if (problems.length > 0) throw badContract(`the message contract "${title}"`, problems);
  const info = { title, version, ...(description !== undefined && { description }) };
  return { asyncapi: '3.0.0', info, defaultContentType: 'application/json', channels, operations };
}

function messagesOf({ action, messages }: TopicUse): JsonObject {
  const direction = action === 'send' ? 'output' : 'input';
  return Object.fromEntries(
    Object.entries(messages).map(([type, { schema, summary, example }]) => [
      idOf(type),
      {
        name: type,
        ...(summary !== undefined && { summary }),
        contentType: 'application/json',
        payload: jsonSchemaOf(schema, direction),
        ...(example !== undefined && { examples: [{ payload: example }] }),
      },
    ]),
  );
}

/** What may be a member's name in a reference without escapes. */
function idOf(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9._-]/g, '_');
}
