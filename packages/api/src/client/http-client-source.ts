import { type JsonObject, objectOr, objectsIn, textOr } from '../contract/json.ts';
import { type HttpOperationIn, httpOperations } from '../operation/operations.ts';
import { propertyName, typeNameOf, typeText } from './type-text.ts';

/** A TypeScript module with a typed client of an OpenAPI document. It needs nothing but `fetch`. */
export function httpClientSource(document: JsonObject): string {
  const operations = httpOperations(document);
  const title = textOr(objectOr(document['info'])['title']);
  const schemas = objectsIn(objectOr(document['components'])['schemas']);
  return [
    `// The client of ${JSON.stringify(title)}, made from its contract by "heddle api client". Not to be edited.`,
    ...schemas.map(([name, schema]) => `\nexport type ${typeNameOf(name)} = ${typeText(schema)};`),
    ...operations.map((operation) => inputSource(operation)),
    prelude,
    `/** ${title}. Every method rejects with an \`ApiError\` for a status of 400 and above. */`,
    'export interface Client {',
    ...operations.map((one) => `${docOf(one)}  ${signature(one)};`),
    '}',
    '',
    '/** Makes one. */',
    'export function createClient(options: ClientOptions): Client {',
    '  return {',
    ...operations.map(methodSource),
    '  };',
    '}',
    '',
  ].join('\n');
}

function docOf({ id, summary }: HttpOperationIn): string {
  const text = `${id}${summary === '' ? '' : `: ${summary}`}`.replaceAll('*/', '* /').replaceAll(/\s+/g, ' ');
  return `  /** ${text} */\n`;
}

function inputName({ name }: HttpOperationIn): string {
  return `${typeNameOf(name)}Input`;
}

function inputSource(operation: HttpOperationIn): string {
  const members = operation.parameters.map((parameter) => {
    const mark = parameter['required'] === true ? '' : '?';
    const type = typeText(parameter['schema']);
    return `  readonly ${propertyName(textOr(parameter['name']))}${mark}: ${mark === '' ? type : `${type} | undefined`};`;
  });
  const { body } = operation;
  if (body !== undefined) {
    const mark = body['required'] === true ? '' : '?';
    const type = typeText(mediaSchema(body));
    members.push(`  readonly body${mark}: ${mark === '' ? type : `${type} | undefined`};`);
  }
  return `\nexport interface ${inputName(operation)} {\n${members.join('\n')}\n}`;
}

function mediaSchema(holder: JsonObject): unknown {
  const content = objectsIn(holder['content']);
  const [, media] = content.find(([type]) => type.endsWith('json')) ?? content[0] ?? ['', undefined];
  return media?.['schema'];
}

function outputText({ answers }: HttpOperationIn): string {
  const good = answers.filter(([status]) => status.startsWith('2'));
  const types = good.map(([, answer]) =>
    answer['content'] === undefined ? 'undefined' : typeText(mediaSchema(answer)),
  );
  return [...new Set(types)].join(' | ') || 'undefined';
}

function signature(operation: HttpOperationIn): string {
  const isOptional =
    operation.parameters.every((one) => one['required'] !== true) && operation.body?.['required'] !== true;
  return `${propertyName(operation.name)}(input${isOptional ? '?' : ''}: ${inputName(operation)}): Promise<${outputText(operation)}>`;
}

function methodSource(operation: HttpOperationIn): string {
  const named = (place: string): string =>
    JSON.stringify(
      operation.parameters.filter((one) => one['in'] === place).map((one) => textOr(one['name'])),
    );
  const { method, path, name } = operation;
  const request = `{ method: ${JSON.stringify(method)}, path: ${JSON.stringify(path)}, query: ${named('query')}, headers: ${named('header')} }`;
  return `    ${propertyName(name)}: (input) => send(options, ${request}, { ...input }),`;
}

const prelude = `
/** Where the service is, and what goes with every request. */
export interface ClientOptions {
  /** \`http://host:port\`, perhaps with a path before all paths. */
  readonly baseUrl: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly fetch?: typeof fetch;
}

/** An answer with a status of 400 and above. */
export class ApiError extends Error {
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, body: unknown) {
    super(\`the service answered \${status}\`);
    this.status = status;
    this.body = body;
  }
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query: readonly string[];
  readonly headers: readonly string[];
}

async function send<T>(options: ClientOptions, sent: Sent, input: Readonly<Record<string, unknown>>): Promise<T> {
  const path = sent.path.replaceAll(/\\{([^}]+)\\}/g, (_, name: string) => encodeURIComponent(String(input[name])));
  const query = new URLSearchParams();
  for (const name of sent.query)
    for (const value of [input[name]].flat()) if (value !== undefined) query.append(name, String(value));
  const headers: Record<string, string> = { accept: 'application/json', ...options.headers };
  for (const name of sent.headers) if (input[name] !== undefined) headers[name] = String(input[name]);
  const { body } = input;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const url = options.baseUrl.replace(/\\/$/, '') + path + (query.size === 0 ? '' : \`?\${query.toString()}\`);
  const answer = await (options.fetch ?? fetch)(url, {
    method: sent.method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const isJson = (answer.headers.get('content-type') ?? '').includes('json');
  const content: unknown = text === '' ? undefined : isJson ? JSON.parse(text) : text;
  if (answer.status >= 400) throw new ApiError(answer.status, content);
  return content as T;
}
`;
