// Parts of HTTP/1.1 messages, good and bad, such as tricks are made of. Good ones come first.

/** Field lines that both directions have. */
export const framingLines = [
  'Content-Length: 5',
  'Transfer-Encoding: chunked',
  'Content-Length: 0',
  'Connection: close',
  'Connection: keep-alive',
  'X: y',
  'Cookie: a=b',
  'Trailer: x',
  'Transfer-Encoding: CHUNKED',
  'Content-Length: 05',
  'Content-Length: +5',
  'Content-Length: 5, 5',
  'Content-Length:5 ',
  'Content-Length: 5\t',
  'Content-Length : 5',
  ' Content-Length: 5',
  'Content-Length: 6',
  'Content-Length: -1',
  'Content-Length: 0x5',
  'Content-Length: 18446744073709551621',
  'Content-Length:',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding:\x0bchunked',
  'Transfer-Encoding\x00: chunked',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding:',
  'Connection: content-length',
  'Connection: x, close',
  'Connection: upgrade',
  'Upgrade: websocket',
  'X: y\r\n folded',
  'X: y\rz',
  'X: y\nContent-Length: 5',
  'X: \x80\xff',
  'X: a\0b',
  'X:',
  ': y',
  'X',
  '__proto__: x',
  'constructor: y',
] as const;

/** Contents, framed and not. */
export const contents = [
  'hello',
  '5\r\nhello\r\n0\r\n\r\n',
  '',
  '0\r\n\r\n',
  'hello world',
  '5\r\nhello\r\n0\r\nX: y\r\n\r\n',
  '5;ext=1\r\nhello\r\n0\r\n\r\n',
  '5;ext="a;b"\r\nhello\r\n0\r\n\r\n',
  '5 \r\nhello\r\n0\r\n\r\n',
  '5\nhello\n0\n\n',
  '5\r\nhello0\r\n\r\n',
  '5\r\nhello\n0\r\n\r\n',
  '05\r\nhello\r\n0\r\nX: y\r\n\r\n',
  '0x5\r\nhello\r\n0\r\n\r\n',
  '5;\nhello\r\n0\r\n\r\n',
  '5;\r\r\nhello\r\n0\r\n\r\n',
  'A\r\nhellohello\r\n0\r\n\r\n',
  '1\r\nx\r\n2\r\nyz\r\n000\r\n\r\n',
  '5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n',
  '5\r\nhello\r\n0\r\nX : y\r\n\r\n',
  '5\r\nhello\r\n0\r\nX: y\r\n folded\r\n\r\n',
  'fffffffffffffffff\r\nhello\r\n0\r\n\r\n',
  '-5\r\nhello\r\n0\r\n\r\n',
] as const;

/** How lines end. */
export const lineEnds = ['\r\n', '\n', '\r', '\r\r\n', ''] as const;

/** An HTTP/1.1 input falls apart into lines. */
export function linesOf(input: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let from = 0;
  for (let at = input.indexOf(0x0a); at >= 0; at = input.indexOf(0x0a, from)) {
    lines.push(input.subarray(from, at + 1));
    from = at + 1;
  }
  if (from < input.length) lines.push(input.subarray(from));
  return lines;
}
