import type { Contract } from '../contract/contract.ts';
import { isObject, type Json, type JsonObject, listOr, objectOr, textOr } from '../contract/json.ts';
import { chosenMedia, essence, isJson } from '../contract/media.ts';
import { messageExample } from '../example/message-example.ts';
import { exampleIn, schemaExample } from '../example/schema-example.ts';
import type {
  HttpOperationIn,
  MessageOperationIn,
  Operation,
  RpcOperationIn,
} from '../operation/operation.ts';
import { filledPath } from '../operation/path-values.ts';

/** What a snippet is written for. */
export type SnippetLanguage = 'curl' | 'typescript' | 'grpcurl' | 'heddle';

/** Which ones an operation has. */
export function snippetLanguages({ kind }: Operation): readonly SnippetLanguage[] {
  if (kind === 'http') return ['curl', 'typescript', 'heddle'];
  return kind === 'grpc' ? ['grpcurl', 'curl', 'typescript', 'heddle'] : ['heddle', 'typescript'];
}

/** Lines that call an operation with an example, to be pasted. `base`: `http://host:port`. Undefined: there is no such one. */
export function snippet(
  contract: Contract,
  operation: Operation,
  language: SnippetLanguage,
  base: string,
): string | undefined {
  if (!snippetLanguages(operation).includes(language)) return undefined;
  switch (operation.kind) {
    case 'http':
      return httpSnippet(contract.openapi ?? {}, operation, language, base);
    case 'grpc':
      return rpcSnippet(operation, language, base);
    case 'message':
      return messageSnippet(contract.asyncapi ?? {}, operation, language);
  }
}

function httpSnippet(
  document: JsonObject,
  operation: HttpOperationIn,
  language: SnippetLanguage,
  base: string,
): string {
  const values = (place: string): Record<string, string> =>
    Object.fromEntries(
      operation.parameters
        .filter((one) => one['in'] === place && (place === 'path' || one['required'] === true))
        .map((one) => [textOr(one['name']), plain(exampleIn(document, one, 'request'))]),
    );
  const query = new URLSearchParams(values('query')).toString();
  const path = filledPath(operation.path, values('path'));
  const url = `${base}${path}${query === '' ? '' : `${path.includes('?') ? '&' : '?'}${query}`}`;
  const media = chosenMedia(operation.body);
  const body =
    media === undefined ? undefined : { type: media[0], value: exampleIn(document, media[1], 'request') };
  const cookies = Object.entries(values('cookie')).map(([name, value]) => `${name}=${value}`);
  const headers = { ...values('header'), ...(cookies.length > 0 && { cookie: cookies.join('; ') }) };
  if (language === 'curl') return curlSnippet(operation.method, url, headers, body);
  if (language === 'heddle') {
    const given = Object.entries({ ...values('path'), ...values('query'), ...values('header') });
    const words = given.map(([name, value]) => ` ${quoted(`${name}=${value}`)}`).join('');
    const data = body === undefined ? '' : ` --body ${quoted(JSON.stringify(body.value))}`;
    return `heddle api call SERVICE ${quoted(operation.id)}${words}${data}`;
  }
  return fetchSnippet(operation.method, url, headers, body);
}

interface Body {
  readonly type: string;
  readonly value: Json;
}

function curlSnippet(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  body: Body | undefined,
): string {
  const fields = Object.entries(headers).map(([name, value]) => ` -H ${quoted(`${name}: ${value}`)}`);
  const verb = method === 'GET' ? '' : method === 'HEAD' ? ' -I' : ` -X ${method}`;
  return `curl -s${verb} ${quoted(url)}${fields.join('')}${body === undefined ? '' : curlBody(body)}`;
}

function curlBody({ type, value }: Body): string {
  const parts = isObject(value) ? Object.entries(value) : undefined;
  if (parts !== undefined && essence(type).startsWith('multipart/'))
    return parts.map(([name, one]) => ` -F ${quoted(`${name}=${plain(one ?? '')}`)}`).join('');
  if (parts !== undefined && essence(type) === 'application/x-www-form-urlencoded')
    return parts.map(([name, one]) => ` --data-urlencode ${quoted(`${name}=${plain(one ?? '')}`)}`).join('');
  const text = isJson(type) ? JSON.stringify(value) : plain(value);
  return ` -H ${quoted(`content-type: ${writable(type)}`)} ${isJson(type) ? '-d' : '--data-binary'} ${quoted(text)}`;
}

function fetchSnippet(
  method: string,
  url: string,
  given: Readonly<Record<string, string>>,
  body: Body | undefined,
): string {
  const isForm = body !== undefined && /^(multipart\/|application\/x-www-form)/.test(essence(body.type));
  const headers = { ...given, ...(body !== undefined && !isForm && { 'content-type': writable(body.type) }) };
  const init = [
    `  method: ${JSON.stringify(method)},`,
    ...(Object.keys(headers).length > 0 ? [`  headers: ${JSON.stringify(headers)},`] : []),
    ...(body === undefined ? [] : [`  body: ${fetchBody(body, isForm)},`]),
  ];
  return `const answer = await fetch(${JSON.stringify(url)}, {\n${init.join('\n')}\n});\nconsole.log(answer.status, await answer.text());`;
}

function fetchBody({ type, value }: Body, isForm: boolean): string {
  if (isJson(type)) return `JSON.stringify(${JSON.stringify(value)})`;
  if (!isForm || !isObject(value)) return JSON.stringify(plain(value));
  const parts = JSON.stringify(Object.entries(value).map(([name, one]) => [name, plain(one ?? '')]));
  if (!essence(type).startsWith('multipart/')) return `new URLSearchParams(${parts})`;
  return `${parts}.reduce((form, [name = '', value = '']) => (form.append(name, value), form), new FormData())`;
}

/** A range is no type that one could say of a content. */
function writable(type: string): string {
  return type.includes('*') ? 'application/octet-stream' : type;
}

function rpcSnippet(
  { id, method }: RpcOperationIn,
  language: SnippetLanguage,
  base: string,
): string | undefined {
  const example = JSON.stringify(messageExample(method.input));
  const { host } = new URL(base);
  if (language === 'grpcurl') return `grpcurl -plaintext -d ${quoted(example)} ${host} ${id}`;
  if (language === 'heddle') return `heddle api call SERVICE ${id} --body ${quoted(example)}`;
  if (language === 'curl') {
    // Connect's unary calls are plain HTTP; its streams have frames that curl cannot write.
    if (method.methodKind !== 'unary') return undefined;
    return `curl -s ${quoted(`${base}/${id}`)} -H 'content-type: application/json' -H 'connect-protocol-version: 1' -d ${quoted(example)}`;
  }
  const { name } = method.parent;
  const input = `fromJson(${method.input.name}Schema, ${example})`;
  const takesMany = method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming';
  const given = takesMany ? `(async function* () { yield ${input}; })()` : input;
  const givesMany = method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming';
  const call = givesMany
    ? `for await (const answer of client.${method.localName}(${given})) console.log(answer);`
    : `console.log(await client.${method.localName}(${given}));`;
  return [
    `import { fromJson } from '@bufbuild/protobuf';`,
    `import { nodeRuntime } from '@heddle/kernel/node';`,
    `import { createClient, createTransport } from '@heddle/rpc';`,
    `// ${name} and ${method.input.name}Schema come from "heddle api client".`,
    `const runtime = nodeRuntime({ name: 'example' });`,
    `const client = createClient(${name}, createTransport({ runtime, target: 'static:///${host}' }));`,
    call,
  ].join('\n');
}

function messageSnippet(
  document: JsonObject,
  operation: MessageOperationIn,
  language: SnippetLanguage,
): string {
  const [[type, message] = ['', {}]] = operation.messages;
  const example = JSON.stringify(payloadExample(document, message));
  const { action, address } = operation;
  if (language === 'heddle')
    return action === 'receive'
      ? `heddle api call SERVICE ${quoted(operation.id)} --body ${quoted(example)}`
      : `heddle api call SERVICE ${quoted(operation.id)}`;
  return action === 'receive'
    ? `const payload = new TextEncoder().encode(JSON.stringify(${example}));\nawait broker.publish({ topic: ${JSON.stringify(address)}, type: ${JSON.stringify(type)}, payload });`
    : `await broker.subscribe(${JSON.stringify(address)}, { group: 'my-service' }, async ({ message }) => console.log(message.type));`;
}

/** An example of a message's payload. */
export function payloadExample(document: JsonObject, message: JsonObject): Json {
  const shown = listOr(message['examples']).map((one) => objectOr(one)['payload']);
  return shown.find((one) => one !== undefined) ?? schemaExample(document, message['payload']);
}

/** As it stands in a URL or a header. */
function plain(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
