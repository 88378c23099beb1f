import { type JsonObject, objectOr, textOr } from '../contract/json.ts';
import { type MessageOperationIn, messageOperations } from '../operation/operations.ts';
import { typeNameOf, typeText } from './type-text.ts';

/**
 * A TypeScript module for those on the other side of a service's messages: functions that publish what it takes, and that
 * listen to what it sends, over any of Heddle's brokers.
 */
export function messageClientSource(document: JsonObject): string {
  const operations = messageOperations(document);
  const title = textOr(objectOr(document['info'])['title']);
  const types = new Map<string, string>();
  for (const { messages } of operations)
    for (const [type, message] of messages) types.set(typeNameOf(type), typeText(message['payload']));
  return [
    `// The messages of ${JSON.stringify(title)}, made from its contract by "heddle api client". Not to be edited.`,
    `import type { Broker, Delivery, Subscription } from '@heddle/messaging';`,
    ...[...types].map(([name, text]) => `\nexport type ${name} = ${text};`),
    ...operations.map((operation) =>
      operation.action === 'receive' ? publishers(operation) : listener(operation),
    ),
    '',
  ].join('\n');
}

function publishers({ address, messages, summary }: MessageOperationIn): string {
  return messages
    .map(([type]) => {
      const name = typeNameOf(type);
      return [
        `\n/** Publishes to ${address}. ${summary} */`,
        `export async function publish${name}(broker: Broker, payload: ${name}, key?: string): Promise<void> {`,
        `  const bytes = new TextEncoder().encode(JSON.stringify(payload));`,
        `  const message = { topic: ${JSON.stringify(address)}, type: ${JSON.stringify(type)}, payload: bytes };`,
        `  await broker.publish(key === undefined ? message : { ...message, key });`,
        `}`,
      ].join('\n');
    })
    .join('\n');
}

function listener({ address, messages, summary }: MessageOperationIn): string {
  const name = typeNameOf(address);
  const union = messages
    .map(([type]) => `{ readonly type: ${JSON.stringify(type)}; readonly payload: ${typeNameOf(type)} }`)
    .join('\n  | ');
  return [
    `\n/** What comes from ${address}. */`,
    `export type ${name}Message =\n  | ${union};`,
    `\n/** Listens to ${address}. ${summary} A kind that this module does not know is passed over. */`,
    `export function on${name}(`,
    `  broker: Broker,`,
    `  group: string,`,
    `  handler: (message: ${name}Message) => Promise<void>,`,
    `): Promise<Subscription> {`,
    `  const known: readonly string[] = ${JSON.stringify(messages.map(([type]) => type))};`,
    `  return broker.subscribe(${JSON.stringify(address)}, { group }, async ({ message }: Delivery) => {`,
    `    const { type, payload } = message;`,
    `    if (!known.includes(type)) return;`,
    `    const content: unknown = JSON.parse(new TextDecoder().decode(payload));`,
    `    await handler({ type, payload: content } as ${name}Message);`,
    `  });`,
    `}`,
  ].join('\n');
}
