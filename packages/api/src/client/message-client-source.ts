import { type JsonObject, objectOr, textOr } from '../contract/json.ts';
import { unique } from '../operation/http-operations.ts';
import { messageOperations } from '../operation/message-operations.ts';
import type { MessageOperationIn } from '../operation/operation.ts';
import { propertyName, SchemaTypes, typeNameOf } from './type-text.ts';

/** A function of the module. */
interface Written {
  readonly operation: MessageOperationIn;
  /** Of each message: its type's name, and that of the function that publishes it. */
  readonly messages: readonly { readonly type: string; readonly typeName: string; readonly name: string }[];
  readonly name: string;
  /** Names in braces in the topic. */
  readonly parameters: readonly string[];
}

/**
 * A TypeScript module for those on the other side of a service's messages: functions that publish what it takes, and that
 * listen to what it sends, over any of Heddle's brokers. Payloads in another language than JSON Schema are `unknown`.
 */
export function messageClientSource(document: JsonObject): string {
  const title = commented(textOr(objectOr(document['info'])['title']));
  const taken = new Set(['Broker', 'Delivery', 'Subscription', 'Promise']);
  const types = new SchemaTypes(document, taken);
  const declared = new Map<string, string>();
  const functions = new Set<string>();
  const payloads: string[] = [];
  const written = messageOperations(document).map((operation): Written => {
    const messages = operation.messages.map(([type, message]) => {
      const text = types.text(message['payload']);
      const key = `${type} ${text}`;
      let typeName = declared.get(key);
      if (typeName === undefined) {
        typeName = unique(typeNameOf(type), taken);
        declared.set(key, typeName);
        payloads.push(`\nexport type ${typeName} = ${text};`);
      }
      return {
        type,
        typeName,
        name: operation.action === 'receive' ? unique(`publish${typeName}`, functions) : '',
      };
    });
    const name = operation.action === 'send' ? unique(`on${typeNameOf(operation.address)}`, functions) : '';
    const parameters = [...operation.address.matchAll(/\{([^}]+)\}/g)].map(([, one = '']) => one);
    return { operation, messages, name, parameters };
  });
  return [
    `// The messages of ${JSON.stringify(title)}, made from its contract by "heddle api client". Not to be edited.`,
    `import type { Broker, Delivery, Subscription } from '@heddle/messaging';`,
    ...types.declarations(),
    ...payloads,
    ...written.map((one) => (one.operation.action === 'receive' ? publishers(one) : listener(one, taken))),
    '',
  ].join('\n');
}

function commented(text: string): string {
  return text.replaceAll('*/', '* /').replaceAll(/\s+/g, ' ').trim();
}

/** The topic, and what has to be given for it. */
function topicOf({ operation, parameters }: Written): { readonly given: string; readonly topic: string } {
  if (parameters.length === 0) return { given: '', topic: JSON.stringify(operation.address) };
  const members = [...new Set(parameters)].map((one) => `readonly ${propertyName(one)}: string`);
  const text = operation.address.split(/(\{[^}]+\})/).map((part) => {
    const name = /^\{([^}]+)\}$/.exec(part)?.[1];
    return name === undefined ? JSON.stringify(part) : `parameters[${JSON.stringify(name)}]`;
  });
  return {
    given: `parameters: { ${members.join('; ')} }, `,
    topic: text.filter((part) => part !== '""').join(' + '),
  };
}

function publishers(written: Written): string {
  const { operation, messages } = written;
  const { given, topic } = topicOf(written);
  return messages
    .map(({ type, typeName, name }) =>
      [
        `\n/** Publishes to ${commented(`${operation.address}. ${operation.summary}`)} */`,
        `export async function ${name}(broker: Broker, ${given}payload: ${typeName}, key?: string): Promise<void> {`,
        `  const bytes = new TextEncoder().encode(JSON.stringify(payload));`,
        `  const message = { topic: ${topic}, type: ${JSON.stringify(type)}, payload: bytes };`,
        `  await broker.publish(key === undefined ? message : { ...message, key });`,
        `}`,
      ].join('\n'),
    )
    .join('\n');
}

function listener(written: Written, taken: Set<string>): string {
  const { operation, messages, name } = written;
  const { given, topic } = topicOf(written);
  const messageName = unique(`${typeNameOf(operation.address)}Message`, taken);
  const union = messages
    .map(({ type, typeName }) => `{ readonly type: ${JSON.stringify(type)}; readonly payload: ${typeName} }`)
    .join('\n  | ');
  return [
    `\n/** What comes from ${commented(operation.address)}. */`,
    `export type ${messageName} =\n  | ${union || 'never'};`,
    `\n/** Listens to ${commented(`${operation.address}. ${operation.summary}`)} A kind that this module does not know is passed over. */`,
    `export function ${name}(`,
    `  broker: Broker,`,
    ...(given === '' ? [] : [`  ${given.trim()}`]),
    `  group: string,`,
    `  handler: (message: ${messageName}) => Promise<void>,`,
    `): Promise<Subscription> {`,
    `  const known: readonly string[] = ${JSON.stringify(messages.map(({ type }) => type))};`,
    `  return broker.subscribe(${topic}, { group }, async ({ message }: Delivery) => {`,
    `    const { type, payload } = message;`,
    `    if (!known.includes(type)) return;`,
    `    const content: unknown = JSON.parse(new TextDecoder().decode(payload));`,
    `    await handler({ type, payload: content } as ${messageName});`,
    `  });`,
    `}`,
  ].join('\n');
}
