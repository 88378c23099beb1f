import fc from 'fast-check';

// Parts of requests, good and bad, such as tricks are made of.
const methods = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'get', 'G T', ''];
const targets = ['/', '/a?b', '//x', 'http://a/b', 'http://b/', '*', '/\t', '/%00', '/#f', '', 'x'];
const versions = ['HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'HTTP/1.1 ', ''];
const fields = [
  'Host: a',
  'Host: b',
  'host:a',
  'Host : a',
  'Content-Length: 5',
  'Content-Length: 0',
  'Content-Length: 05',
  'Content-Length: +5',
  'Content-Length: 5, 5',
  'Content-Length:5 ',
  'Content-Length: 5\t',
  'Content-Length : 5',
  ' Content-Length: 5',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: CHUNKED',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding:\x0bchunked',
  'Transfer-Encoding\x00: chunked',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: content-length',
  'X: y\r\n folded',
  'X: y\rz',
  'X: y\nContent-Length: 5',
  'X:',
  ': y',
  'X',
  'Expect: 100-continue',
  'Trailer: x',
];
const contents = [
  '',
  'hello',
  'hello world',
  '0\r\n\r\n',
  '5\r\nhello\r\n0\r\n\r\n',
  '5;ext=1\r\nhello\r\n0\r\n\r\n',
  '5 \r\nhello\r\n0\r\n\r\n',
  '5\nhello\n0\n\n',
  '5\r\nhello0\r\n\r\n',
  '05\r\nhello\r\n0\r\nX: y\r\n\r\n',
  '0x5\r\nhello\r\n0\r\n\r\n',
  '5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n',
  'fffffffffffffffff\r\nhello\r\n0\r\n\r\n',
];
const ends = ['\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\r\r\n', ''];
const wildBytes = [
  '\0',
  '\t',
  '\n',
  '\r',
  ' ',
  ',',
  ':',
  ';',
  '0',
  '5',
  'a',
  '\x7f',
  '\x80',
  '\xa0',
  '\xff',
  '\r\n',
];

/** One good part in most cases: a request in which all is bad says little. */
function mostly(good: number, parts: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...parts.slice(0, good)) },
    fc.constantFrom(...parts),
  );
}

const requestText: fc.Arbitrary<string> = fc
  .record({
    method: mostly(2, methods),
    target: mostly(2, targets),
    version: mostly(1, versions),
    host: fc.boolean().map((there) => (there ? 'Host: a' : 'Host: a.example:80')),
    fields: fc.array(fc.constantFrom(...fields), { maxLength: 3 }),
    end: mostly(1, ends),
    content: fc.constantFrom(...contents),
  })
  .map((parts) => {
    const line = `${parts.method} ${parts.target} ${parts.version}`;
    return `${[line, parts.host, ...parts.fields].join('\r\n')}\r\n${parts.end}${parts.content}`;
  });

/** See `mutate`. */
export interface Mutation {
  readonly at: number;
  readonly kind: 'insert' | 'replace' | 'remove';
  readonly bytes: string;
}

/** One change of a few bytes. */
export const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(400),
  kind: fc.constantFrom('insert', 'replace', 'remove'),
  bytes: fc.constantFrom(...wildBytes),
});

/** The text with the change made, at a place within it. */
export function mutate(text: string, { at, kind, bytes }: Mutation): string {
  const place = at % (text.length + 1);
  const rest = text.slice(kind === 'insert' ? place : place + 1);
  return `${text.slice(0, place)}${kind === 'remove' ? '' : bytes}${rest}`;
}

/** Bytes of a pipeline: one to three requests from a grammar with bad habits, and a few bytes changed at random. */
export const wildRequests: fc.Arbitrary<string> = fc
  .tuple(fc.array(requestText, { minLength: 1, maxLength: 3 }), fc.array(mutation, { maxLength: 2 }))
  .map(([requests, mutations]) => mutations.reduce(mutate, requests.join('')));
