import { HeddleError } from '@heddle/kernel';

/** What the query of Connect's GET says (connectrpc.com/docs/protocol, "Unary-Get-Request"). */
export interface ConnectQuery {
  /** The message, still compressed if `compression` says so. */
  readonly message: Uint8Array;
  readonly encoding: 'proto' | 'json';
  readonly compression: string | undefined;
}

/** Reads the query of a target `/path?query`. Throws `invalid_argument` / `BAD_QUERY`. */
export function readConnectQuery(target: string): ConnectQuery {
  const values = valuesOf(target.slice(target.indexOf('?') + 1));
  const text = (name: string): string | undefined => values.get(name)?.toString('utf8');
  const encoding = text('encoding');
  const message = values.get('message');
  if (encoding !== 'proto' && encoding !== 'json') throw badQuery('encoding must be proto or json');
  if (message === undefined) throw badQuery('there is no message');
  if ((text('connect') ?? 'v1') !== 'v1') throw badQuery('connect must be v1');
  const compression = text('compression');
  if ((text('base64') ?? '0') !== '1') return { message, encoding, compression };
  const base64 = message.toString('latin1');
  if (!/^[\w-]*={0,2}$/.test(base64)) throw badQuery('the message is not base64 in the URL-safe alphabet');
  return { message: Buffer.from(base64, 'base64url'), encoding, compression };
}

/** The values by name, percent-decoded to bytes: a message in binary is no UTF-8. A name given twice is refused. */
function valuesOf(query: string): Map<string, Buffer> {
  const values = new Map<string, Buffer>();
  for (const pair of query.split('&')) {
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    if (values.has(name)) throw badQuery(`${JSON.stringify(name.slice(0, 40))} is given twice`);
    values.set(name, percentDecoded(value));
  }
  return values;
}

function percentDecoded(text: string): Buffer {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) throw badQuery('a percent sign is not followed by two hex digits');
  const plain = text.replaceAll('+', ' ');
  const latin1 = plain.replaceAll(/%(..)/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(latin1, 'latin1');
}

function badQuery(what: string): HeddleError {
  const message = `the query is none of Connect’s: ${what}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_QUERY', message });
}
