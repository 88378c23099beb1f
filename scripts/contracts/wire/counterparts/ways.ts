// Clients, ours and others', as the checks use them.
import http from 'node:http';
import http2 from 'node:http2';
import { Call, perform } from '@heddle/kernel';
import { endpoint, Fields, streamBody, wholeBody } from '@heddle/wire';
import type { Place } from '../../../engines/engine.ts';
import { runtime } from './subject.ts';

/** What is asked for. */
export interface Question {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly content?: Uint8Array;
  /** Sent behind the content. */
  readonly trailers?: Readonly<Record<string, string>>;
}

/** What came of it. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly trailers: Readonly<Record<string, string>>;
  readonly content: Buffer;
}

/** A client of one place. */
export interface Way {
  /** It has to be told to send chunks, without which there are no trailers. */
  readonly http1?: boolean;
  ask(question: Question): Promise<Reply>;
  close(): void;
}

/** Our client. */
export function ours(address: Place, protocol: 'http1' | 'http2'): Way {
  const to = endpoint({ runtime, address, protocol });
  return {
    ask: async ({ method = 'GET', path, headers = {}, content, trailers }) => {
      const body =
        trailers === undefined
          ? wholeBody(content ?? new Uint8Array(0))
          : streamBody(once(content ?? new Uint8Array(0)), { trailers: () => Fields.of(trailers) });
      const authority = `${address.host}:${address.port}`;
      const request = { method, scheme: 'http', authority, path, fields: Fields.of(headers), body } as const;
      const response = await perform(to.request, request, Call.root(runtime));
      const received = Buffer.from(await response.body.bytes(100_000_000));
      return {
        status: response.status,
        headers: Object.fromEntries(response.fields),
        trailers: Object.fromEntries(response.body.trailers ?? new Fields()),
        content: received,
      };
    },
    close: () => to.close(),
  };
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield content;
}

/** node:http with connections that are kept. */
export function nodeHttp1({ host, port }: Place): Way {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
  return {
    http1: true,
    ask: ({ method = 'GET', path, headers = {}, content, trailers }) =>
      new Promise((resolve, reject) => {
        const asked = http.request({ host, port, agent, method, path, headers }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: plain(response.headers),
              trailers: plain(response.trailers),
              content: Buffer.concat(chunks),
            }),
          );
        });
        asked.on('error', reject);
        if (trailers !== undefined) asked.addTrailers(trailers);
        asked.end(content);
      }),
    close: () => agent.destroy(),
  };
}

/** node:http2 with one connection. */
export function nodeHttp2({ host, port }: Place): Way {
  const session = http2.connect(`http://${host}:${port}`);
  session.on('error', () => {});
  return {
    ask: ({ method = 'GET', path, headers = {}, content, trailers }) =>
      new Promise((resolve, reject) => {
        const waitForTrailers = trailers !== undefined;
        const stream = session.request({ ':method': method, ':path': path, ...headers }, { waitForTrailers });
        if (trailers !== undefined) stream.on('wantTrailers', () => stream.sendTrailers(trailers));
        const chunks: Buffer[] = [];
        let head: http2.IncomingHttpHeaders = {};
        let tail: http2.IncomingHttpHeaders = {};
        stream.on('response', (fields) => (head = fields));
        stream.on('trailers', (fields: http2.IncomingHttpHeaders) => (tail = fields));
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('error', reject);
        stream.on('close', () =>
          resolve({
            status: Number(head[':status']),
            headers: plain(head),
            trailers: plain(tail),
            content: Buffer.concat(chunks),
          }),
        );
        stream.end(content);
      }),
    close: () => session.destroy(),
  };
}

function plain(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
