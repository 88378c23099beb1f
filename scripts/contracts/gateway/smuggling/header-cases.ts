// Fields that say what only the gateway may say, or that two servers read differently.

/** What the upstream must be told, or not. */
export interface HeaderCase {
  readonly what: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Content of the request; sent with its length unless the fields say one. */
  readonly content?: string;
  /** By which versions it can be said at all. Default both. */
  readonly over?: 'http1' | 'h2';
  /** Refused: the upstream sees nothing. */
  readonly refused?: true;
  /** None of these names, in any spelling with "_", and none of these values. */
  readonly never?: readonly string[];
  /** Exactly these values, in order. */
  readonly exactly?: Readonly<Record<string, readonly string[]>>;
}

const here = ['127.0.0.1'];

/** All of them. */
export const headerCases: readonly HeaderCase[] = [
  { what: 'a user of its own', fields: [['x-user-id', 'root']], never: ['x-user-id'] },
  { what: 'a user, with a line below', fields: [['x_user_id', 'root']], never: ['x-user-id'] },
  { what: 'a user, half and half', fields: [['x-user_id', 'root']], never: ['x-user-id'] },
  { what: 'a tenant of its own', fields: [['x-tenant-id', 't9']], never: ['x-tenant-id'] },
  { what: 'a claim that goes to a field', fields: [['x-role', 'admin']], never: ['x-role'] },
  { what: 'such a claim, with a line below', fields: [['x_role', 'admin']], never: ['x-role'] },
  {
    what: 'such a claim twice',
    fields: [
      ['x-role', 'admin'],
      ['x-role', 'user'],
    ],
    never: ['x-role'],
  },
  { what: 'an address', fields: [['x-forwarded-for', '6.6.6.6']], exactly: { 'x-forwarded-for': here } },
  {
    what: 'two addresses',
    fields: [
      ['x-forwarded-for', '6.6.6.6'],
      ['x-forwarded-for', '7.7.7.7'],
    ],
    exactly: { 'x-forwarded-for': here },
  },
  {
    what: 'an address, with lines below',
    fields: [['x_forwarded_for', '6.6.6.6']],
    exactly: { 'x-forwarded-for': here },
    never: ['6.6.6.6'],
  },
  { what: 'a scheme', fields: [['x-forwarded-proto', 'https']], exactly: { 'x-forwarded-proto': ['http'] } },
  {
    what: 'a host',
    fields: [['x-forwarded-host', 'evil.test']],
    exactly: { 'x-forwarded-host': ['shop.test'] },
  },
  { what: 'a port', fields: [['x-forwarded-port', '1']], exactly: { 'x-forwarded-port': ['80'] } },
  { what: 'Forwarded', fields: [['forwarded', 'for=6.6.6.6;proto=https']], never: ['6.6.6.6'] },
  {
    what: 'Connection names the address',
    fields: [['connection', 'x-forwarded-for']],
    over: 'http1',
    exactly: { 'x-forwarded-for': here },
  },
  {
    what: 'Connection names the ids',
    fields: [['connection', 'x-request-id, via']],
    over: 'http1',
    exactly: { via: ['1.1 heddle'] },
  },
  {
    what: 'Connection names a field of the client',
    fields: [
      ['connection', 'x-mine'],
      ['x-mine', '1'],
    ],
    over: 'http1',
    never: ['x-mine'],
  },
  {
    what: 'Connection names Host',
    fields: [['connection', 'host']],
    over: 'http1',
    refused: true,
  },
  {
    what: 'Connection names Content-Length',
    fields: [['connection', 'content-length']],
    content: 'abc',
    over: 'http1',
    refused: true,
  },
  {
    what: 'Proxy-Connection',
    fields: [['proxy-connection', 'keep-alive']],
    over: 'http1',
    never: ['proxy-connection'],
  },
  { what: 'Keep-Alive', fields: [['keep-alive', 'timeout=100']], over: 'http1', never: ['keep-alive'] },
  {
    what: 'Proxy-Authorization',
    fields: [['proxy-authorization', 'Basic eDp5']],
    never: ['proxy-authorization'],
  },
  { what: 'TE', fields: [['te', 'trailers']], never: ['te'] },
  { what: 'TE: chunked', fields: [['te', 'chunked']], over: 'http1', never: ['te'] },
  { what: 'Trailer', fields: [['trailer', 'x-user-id']], never: ['trailer'] },
  {
    what: 'Upgrade to another protocol',
    fields: [
      ['connection', 'upgrade'],
      ['upgrade', 'h2c'],
    ],
    over: 'http1',
    never: ['upgrade'],
  },
  {
    what: 'Upgrade to a WebSocket',
    fields: [
      ['connection', 'upgrade'],
      ['upgrade', 'websocket'],
      ['sec-websocket-key', 'x'],
      ['sec-websocket-version', '13'],
    ],
    over: 'http1',
    refused: true,
  },
  {
    what: 'HTTP2-Settings',
    fields: [
      ['connection', 'http2-settings'],
      ['http2-settings', 'AAMAAABkAAQAAP'],
    ],
    over: 'http1',
    never: ['http2-settings'],
  },
  {
    what: 'a Transfer-Encoding with a line below',
    fields: [['transfer_encoding', 'chunked']],
    content: 'abc',
    exactly: { 'content-length': ['3'] },
  },
  {
    what: 'a Content-Length with a line below',
    fields: [['content_length', '99']],
    content: 'abc',
    exactly: { 'content-length': ['3'] },
  },
  { what: 'a request id', fields: [['x-request-id', 'mine']], exactly: { 'x-request-id': ['mine'] } },
  {
    what: 'a request id that is too long',
    fields: [['x-request-id', 'i'.repeat(200)]],
    never: ['i'.repeat(200)],
  },
  { what: 'a request id with blanks', fields: [['x-request-id', 'a b']], never: ['a b'] },
  {
    what: 'two request ids',
    fields: [
      ['x-request-id', 'a'],
      ['x-request-id', 'b'],
    ],
    exactly: { 'x-request-id': ['a'] },
  },
  { what: 'a deadline that is none', fields: [['x-request-timeout', 'soon']], refused: true },
  {
    what: 'an HTTP method beside the method',
    fields: [['x-http-method-override', 'DELETE']],
    exactly: { 'x-http-method-override': ['DELETE'] },
  },
  {
    what: 'a URL beside the path goes on as a field like any other',
    fields: [['x-original-url', '/admin']],
    exactly: { 'x-original-url': ['/admin'] },
  },
  { what: 'an early hint of content', fields: [['expect', 'something']], over: 'http1', refused: true },
  { what: 'two Hosts', fields: [['host', 'evil.test']], over: 'http1', refused: true },
  { what: 'a Host beside the authority', fields: [['host', 'evil.test']], over: 'h2', refused: true },
  {
    what: 'Transfer-Encoding in HTTP/2',
    fields: [['transfer-encoding', 'chunked']],
    content: 'abc',
    over: 'h2',
    refused: true,
  },
  { what: 'Connection in HTTP/2', fields: [['connection', 'close']], over: 'h2', refused: true },
  { what: 'Keep-Alive in HTTP/2', fields: [['keep-alive', '5']], over: 'h2', refused: true },
  { what: 'Upgrade in HTTP/2', fields: [['upgrade', 'h2c']], over: 'h2', refused: true },
  { what: 'TE: chunked in HTTP/2', fields: [['te', 'chunked']], over: 'h2', refused: true },
  {
    what: 'a length that is too small in HTTP/2',
    fields: [['content-length', '1']],
    content: 'abc',
    over: 'h2',
    refused: true,
  },
  {
    what: 'a length that is too large in HTTP/2',
    fields: [['content-length', '9']],
    content: 'abc',
    over: 'h2',
    refused: true,
  },
  {
    what: 'a length with a sign in HTTP/2',
    fields: [['content-length', '+3']],
    content: 'abc',
    over: 'h2',
    refused: true,
  },
  {
    what: 'two lengths in HTTP/2',
    fields: [
      ['content-length', '3'],
      ['content-length', '4'],
    ],
    content: 'abc',
    over: 'h2',
    refused: true,
  },
  { what: 'a line break in a value', fields: [['x-a', 'b\r\nx-user-id: root']], over: 'h2', refused: true },
  { what: 'a bare LF in a value', fields: [['x-a', 'b\nx-user-id: root']], over: 'h2', refused: true },
  { what: 'a NUL in a value', fields: [['x-a', 'b\0c']], over: 'h2', refused: true },
  {
    what: 'a request in a value',
    fields: [['x-a', 'b\r\n\r\nGET /admin HTTP/1.1\r\nHost: a']],
    over: 'h2',
    refused: true,
  },
  { what: 'a line break in a name', fields: [['x-a\r\nx-b', 'c']], over: 'h2', refused: true },
  { what: 'a colon in a name', fields: [['x-a: b\r\nx-c', 'd']], over: 'h2', refused: true },
  { what: 'a blank in a name', fields: [['transfer-encoding ', 'chunked']], over: 'h2', refused: true },
  { what: 'capitals in a name', fields: [['X-User-Id', 'root']], over: 'h2', refused: true },
  { what: 'an empty name', fields: [['', 'x']], over: 'h2', refused: true },
  {
    what: 'a pseudo-field after fields',
    fields: [
      ['x-a', '1'],
      [':path', '/admin'],
    ],
    over: 'h2',
    refused: true,
  },
  { what: 'a pseudo-field that is none', fields: [[':admin', '1']], over: 'h2', refused: true },
  { what: 'a second path', fields: [[':path', '/admin']], over: 'h2', refused: true },
  { what: 'a second authority', fields: [[':authority', 'evil.test']], over: 'h2', refused: true },
];
