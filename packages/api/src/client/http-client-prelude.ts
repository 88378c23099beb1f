/** Names of types that a generated client has or uses, and that a schema's type may not take. */
export const preludeNames: readonly string[] = [
  'ApiError',
  'Client',
  'ClientOptions',
  'Sent',
  'Blob',
  'FormData',
  'Promise',
  'Readonly',
  'Record',
  'RequestInit',
  'ReadonlyArray',
  'Uint8Array',
  'ArrayBuffer',
  'URLSearchParams',
  'Error',
  'String',
  'Object',
];

/** What every generated client has. It needs nothing but `fetch`. */
export const prelude = `
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
  readonly accept: string;
  /** Place, name, member of the input, style. */
  readonly parameters: readonly (readonly string[])[];
  /** Media type. */
  readonly body?: string;
}

async function send<T>(options: ClientOptions, sent: Sent, input: Readonly<Record<string, unknown>>): Promise<T> {
  const headers: Record<string, string> = { accept: sent.accept, ...options.headers };
  const query = new URLSearchParams();
  const cookies: string[] = [];
  let [path = ''] = sent.path.split('#', 1);
  for (const [place = '', name = '', member = '', style = ''] of sent.parameters) {
    const value = input[member];
    if (value === undefined) continue;
    if (place === 'path') path = path.replaceAll(\`{\${name}}\`, () => encodeURIComponent(asText(value, style)));
    else if (place === 'query') addQuery(query, name, value, style);
    else if (place === 'header') headers[name] = asText(value, style);
    else if (place === 'cookie') cookies.push(\`\${name}=\${asText(value, style)}\`);
  }
  if (cookies.length > 0) headers['cookie'] = cookies.join('; ');
  const body = sent.body === undefined ? undefined : bodyOf(sent.body, input['body']);
  // A form says itself where its parts end.
  if (body !== undefined && sent.body !== undefined && !(body instanceof FormData))
    headers['content-type'] = sent.body.includes('*') ? 'application/octet-stream' : sent.body;
  const url = options.baseUrl.replace(/\\/$/, '') + path + (query.size === 0 ? '' : \`\${path.includes('?') ? '&' : '?'}\${query.toString()}\`);
  const answer = await (options.fetch ?? fetch)(url, {
    method: sent.method,
    headers,
    ...(body !== undefined && { body }),
  });
  const text = await answer.text();
  const isJson = (answer.headers.get('content-type') ?? '').includes('json');
  const content: unknown = text === '' ? undefined : isJson ? JSON.parse(text) : text;
  if (answer.status >= 400) throw new ApiError(answer.status, content);
  return content as T;
}

function asText(value: unknown, style: string): string {
  if (typeof value === 'string') return value;
  if (style === 'json') return JSON.stringify(value);
  if (Array.isArray(value)) return value.map(String).join(style || ',');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value).flat().map(String).join(style || ',');
}

function addQuery(query: URLSearchParams, name: string, value: unknown, style: string): void {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isObject && (style === 'deep' || style === 'members'))
    for (const [member, inner] of Object.entries(value))
      query.append(style === 'deep' ? \`\${name}[\${member}]\` : member, asText(inner, ''));
  else if (Array.isArray(value) && (style === '' || style === 'deep'))
    for (const one of value) query.append(name, asText(one, ''));
  else query.append(name, asText(value, style));
}

function bodyOf(type: string, body: unknown): string | Blob | FormData | URLSearchParams | Uint8Array<ArrayBuffer> | undefined {
  if (body === undefined) return undefined;
  if (type.includes('json')) return JSON.stringify(body);
  const isParts = typeof body === 'object' && body !== null && !(body instanceof Blob) && !(body instanceof Uint8Array);
  if (!isParts) return typeof body === 'string' || typeof body === 'object' ? (body as string | Blob) : String(body);
  const form = type.startsWith('multipart/') ? new FormData() : new URLSearchParams();
  for (const [name, given] of Object.entries(body))
    for (const value of [given as unknown].flat())
      if (value instanceof Blob && form instanceof FormData) form.append(name, value);
      else if (value !== undefined) form.append(name, typeof value === 'object' ? JSON.stringify(value) : asText(value, ''));
  return form;
}
`;
