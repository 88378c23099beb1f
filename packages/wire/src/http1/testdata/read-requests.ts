import { wholeBody } from '../../message/body.ts';
import { Fields } from '../../message/fields.ts';
import type { HttpService } from '../../message/http.ts';
import { Http1Server } from '../server.ts';
import { http1ServerLimits } from '../server-limits.ts';
import { HandConnection, settled } from './hand-connection.ts';
import { handRuntime } from './hand-runtime.ts';

/** What a server makes of bytes from a client. */
export interface Reading {
  readonly served: readonly string[];
  readonly statuses: readonly number[];
  readonly closes: boolean;
}

/** Feeds a server of ours with the bytes, cut where `cuts` say. One character, one byte. */
export async function readRequests(bytes: string, cuts: readonly number[]): Promise<Reading> {
  const served: string[] = [];
  const service: HttpService = async ({ method, authority, path, body, protocol }) => {
    const content = protocol === undefined ? Buffer.from(await body.bytes(100_000)).toString('latin1') : '';
    served.push(`${method} ${authority} ${path}${content === '' ? '' : ` ${content}`}`);
    return { status: 200, fields: new Fields(), body: wholeBody(Buffer.from('ok')) };
  };
  const runtime = handRuntime();
  const server = new Http1Server(service, runtime, http1ServerLimits);
  const connection = new HandConnection();
  server.accept(connection);
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    connection.feed(bytes.slice(from, cut));
    await settled();
    from = cut;
  }
  // Answers to a pipeline wait for the end of the turn.
  await runtime.time.advance(0);
  const statuses = [...connection.written.matchAll(/HTTP\/1\.1 ([2-5]\d\d)/g)].map(([, status]) =>
    Number(status),
  );
  const reading = { served, statuses, closes: connection.ended };
  connection.close();
  return reading;
}
