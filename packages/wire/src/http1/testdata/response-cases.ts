/**
 * What an upstream sends (one character, one byte) in answer to one request, and what the client makes of it.
 * `answer` is the status and the content, if any; `failed` the reason of the error, either instead of an answer or,
 * with an answer, out of its content. `reused`: another request may go over the same connection.
 */
export interface ResponseCase {
  readonly section: string;
  readonly what: string;
  readonly method: string;
  readonly bytes: string;
  /** The upstream closes after the bytes. */
  readonly ends: boolean;
  readonly answer?: string;
  readonly failed?: string;
  readonly reused: boolean;
}

type Rest = Partial<Omit<ResponseCase, 'section' | 'what' | 'bytes'>>;

function row(section: string, what: string, bytes: string, rest: Rest): ResponseCase {
  return { section, what, bytes, method: 'GET', ends: false, reused: false, ...rest };
}

function head(...lines: string[]): string {
  return [...lines, '', ''].join('\r\n');
}

function ok(...fields: string[]): string {
  return head('HTTP/1.1 200 OK', ...fields);
}

const second = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother';
const bad = { failed: 'BAD_RESPONSE' } as const;
const lost = { failed: 'CONNECTION_LOST' } as const;

const goodRows: readonly ResponseCase[] = [
  row('9110 15', 'a status beyond 599', head('HTTP/1.1 600 X', 'Content-Length: 0'), {
    answer: '500',
    reused: true,
  }),
  row('9112 6.2', 'content of a length', `${ok('Content-Length: 5')}hello`, {
    answer: '200 hello',
    reused: true,
  }),
  row('9112 6.2', 'a length of nothing', ok('Content-Length: 0'), { answer: '200', reused: true }),
  row('9112 7.1', 'chunks', `${ok('Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`, {
    answer: '200 hello',
    reused: true,
  }),
  row('9112 7.1.2', 'chunks and trailers', `${ok('Transfer-Encoding: chunked')}1\r\nx\r\n0\r\nX: y\r\n\r\n`, {
    answer: '200 x',
    reused: true,
  }),
  row('9112 6.3', 'content until the connection closes', `${ok()}hello`, { ends: true, answer: '200 hello' }),
  row('9112 6.3', 'no content until the connection closes', ok(), { ends: true, answer: '200' }),
  row('9112 9.6', 'Connection: close', `${ok('Content-Length: 2', 'Connection: close')}ok`, {
    answer: '200 ok',
  }),
  row('9112 9.3', 'HTTP/1.0 closes', `${head('HTTP/1.0 200 OK', 'Content-Length: 2')}ok`, {
    answer: '200 ok',
  }),
  row(
    '9112 9.3',
    'HTTP/1.0 with keep-alive',
    `${head('HTTP/1.0 200 OK', 'Connection: keep-alive', 'Content-Length: 2')}ok`,
    { answer: '200 ok', reused: true },
  ),
  row('9110 9.3.2', 'HEAD: a length without content', ok('Content-Length: 5'), {
    method: 'HEAD',
    answer: '200',
    reused: true,
  }),
  row('9110 9.3.2', 'HEAD: chunked without chunks', ok('Transfer-Encoding: chunked'), {
    method: 'HEAD',
    answer: '200',
    reused: true,
  }),
  row(
    '9110 15.4.5',
    '304 has no content, whatever its length',
    head('HTTP/1.1 304 Not Modified', 'Content-Length: 5'),
    { answer: '304', reused: true },
  ),
  row('9110 15.3.5', '204 has no content', head('HTTP/1.1 204 No Content'), { answer: '204', reused: true }),
  row(
    '9110 15.3.5',
    '204 with a length is not trusted further',
    head('HTTP/1.1 204 No Content', 'Content-Length: 5'),
    { answer: '204' },
  ),
  row(
    '9110 15.3.5',
    '204 with chunks is not trusted further',
    `${head('HTTP/1.1 204 No Content', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    { answer: '204' },
  ),
  row(
    '9110 15.2',
    'interim answers are passed over',
    `${head('HTTP/1.1 100 Continue')}${head('HTTP/1.1 103 Early Hints', 'Link: </x>')}${ok('Content-Length: 2')}ok`,
    { answer: '200 ok', reused: true },
  ),
  row('9112 4', 'no reason phrase', `${head('HTTP/1.1 200 ', 'Content-Length: 2')}ok`, {
    answer: '200 ok',
    reused: true,
  }),
  row('9112 4', 'no reason phrase and no space', `${head('HTTP/1.1 200', 'Content-Length: 2')}ok`, {
    answer: '200 ok',
    reused: true,
  }),
  row('9112 4', 'a reason phrase of obs-text', `${head('HTTP/1.1 200 \xe9t\xe9', 'Content-Length: 2')}ok`, {
    answer: '200 ok',
    reused: true,
  }),
  row('9110 15', 'a status that nobody has registered', head('HTTP/1.1 599 X', 'Content-Length: 0'), {
    answer: '599',
    reused: true,
  }),
];

const queueRows: readonly ResponseCase[] = [
  row(
    '9112 9.2',
    'two answers in one write: the second is nobody’s',
    `${ok('Content-Length: 5')}hello${second}`,
    { answer: '200 hello' },
  ),
  row('9112 9.2', 'more than the length', `${ok('Content-Length: 5')}hello!`, { answer: '200 hello' }),
  row('9112 9.2', 'more than the last chunk', `${ok('Transfer-Encoding: chunked')}0\r\n\r\n${second}`, {
    answer: '200',
  }),
  row('9112 9.2', 'content after HEAD', `${ok('Content-Length: 5')}hello`, { method: 'HEAD', answer: '200' }),
  row('9112 9.2', 'content after 304', `${head('HTTP/1.1 304 Not Modified', 'Content-Length: 5')}hello`, {
    answer: '304',
  }),
  row('9112 9.2', 'content after 204', `${head('HTTP/1.1 204 No Content')}hello`, { answer: '204' }),
];

const framingRows: readonly ResponseCase[] = [
  row(
    '9112 6.3',
    'a length and chunks',
    `${ok('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    bad,
  ),
  row('9112 6.3', 'two lengths', `${ok('Content-Length: 5', 'Content-Length: 6')}hello`, bad),
  row('9112 6.3', 'a list of lengths', `${ok('Content-Length: 5, 5')}hello`, bad),
  row('9112 6.3', 'a negative length', ok('Content-Length: -1'), bad),
  row('9112 6.3', 'a length beyond 2^53', ok('Content-Length: 99999999999999999999'), bad),
  row('9112 6.3', 'a length that is a word', ok('Content-Length: x'), bad),
  row('9112 6.1', 'another coding', ok('Transfer-Encoding: gzip'), bad),
  row('9112 6.1', 'chunked twice', ok('Transfer-Encoding: chunked, chunked'), bad),
  row(
    '9112 6.1',
    'chunked in HTTP/1.0',
    `${head('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    bad,
  ),
  row('9112 7.1', 'a bad chunk size', `${ok('Transfer-Encoding: chunked')}xyz\r\n`, {
    answer: '200',
    ...bad,
  }),
  row('9112 7.1', 'a bare LF after a chunk size', `${ok('Transfer-Encoding: chunked')}5\nhello`, {
    answer: '200',
    ...bad,
  }),
  row('9112 7.1', 'no CRLF after a chunk', `${ok('Transfer-Encoding: chunked')}5\r\nhelloX`, {
    answer: '200',
    ...bad,
  }),
  row(
    '9110 6.5.1',
    'framing in the trailers',
    `${ok('Transfer-Encoding: chunked')}0\r\nContent-Length: 5\r\n\r\n`,
    { answer: '200', ...bad },
  ),
  row('9112 8', 'content cut off', `${ok('Content-Length: 10')}hello`, {
    ends: true,
    answer: '200',
    ...lost,
  }),
  row('9112 8', 'a chunk cut off', `${ok('Transfer-Encoding: chunked')}a\r\nhello`, {
    ends: true,
    answer: '200',
    ...lost,
  }),
  row('9112 8', 'no last chunk', `${ok('Transfer-Encoding: chunked')}5\r\nhello\r\n`, {
    ends: true,
    answer: '200',
    ...lost,
  }),
  row('9112 8', 'the last chunk cut off', `${ok('Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n`, {
    ends: true,
    answer: '200',
    ...lost,
  }),
];

const headRows: readonly ResponseCase[] = [
  row('9112 2.2', 'a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', bad),
  row('9112 2.2', 'a bare CR in a value', ok('X: y\rz'), bad),
  row('9112 5.2', 'obs-fold', ok('X: y', ' z'), bad),
  row('9110 5.5', 'a NUL in a value', ok('X: y\x00z'), bad),
  row('9112 5.1', 'a space before the colon', ok('Content-Length : 2'), bad),
  row('9112 5', 'a line without a colon', ok('X'), bad),
  row('9112 4', 'a status of two digits', head('HTTP/1.1 99 X'), bad),
  row('9112 4', 'a status of four digits', head('HTTP/1.1 1000 X'), bad),
  row('9112 4', 'a status that is no number', head('HTTP/1.1 2x0 X'), bad),
  row('9112 4', 'a NUL in the reason', head('HTTP/1.1 200 O\x00K'), bad),
  row('9112 2.3', 'another version', head('HTTP/2.0 200 OK'), bad),
  row('9112 2.3', 'a version in lower case', head('http/1.1 200 OK'), bad),
  row('9112 2.3', 'HTTP/0.9: content at once', '<html>hello</html>\n', bad),
  row(
    '9110 15.2.2',
    '101 that nobody asked for',
    head('HTTP/1.1 101 Switching Protocols', 'Connection: upgrade', 'Upgrade: websocket'),
    bad,
  ),
  row(
    '9110 15.2',
    'a flood of interim answers',
    head('HTTP/1.1 100 Continue').repeat(9) + ok('Content-Length: 0'),
    bad,
  ),
  row('9110 5.4', 'a head of 300 kB', `${ok(`X: ${'y'.repeat(300_000)}`)}ok`, bad),
  row('9110 5.4', 'too many fields', ok(...Array.from({ length: 101 }, () => 'X: y')), bad),
  row('9112 8', 'closed without an answer', '', { ends: true, ...lost }),
  row('9112 8', 'closed within the status line', 'HTTP/1.1 20', { ends: true, ...lost }),
  row('9112 8', 'closed within the head', 'HTTP/1.1 200 OK\r\nContent-Le', { ends: true, ...lost }),
  row('9112 8', 'closed after an interim answer', head('HTTP/1.1 100 Continue'), { ends: true, ...lost }),
  row('9112 2', 'bytes of something else', '\x15\x03\x01\x00\x02\x02\x28\n', bad),
];

/** The whole table. */
export const responseCases: readonly ResponseCase[] = [
  ...goodRows,
  ...queueRows,
  ...framingRows,
  ...headRows,
];
