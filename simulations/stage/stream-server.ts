import type { Runtime } from '@heddle/kernel';
import { Fields, type HttpService, serve, streamBody } from '@heddle/wire';
import type { StreamBook } from './stream-book.ts';

/** The name of the host that it runs on, and its port. */
export const streamHost = 'streams';
export const streamPort = 8080;

/** A running server of streams. */
export interface RunningStreamServer {
  /** Resolves when its last connection is closed. */
  readonly drain: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Sends back what it gets as it comes, and behind it how much that was. */
export async function runStreamServer(
  runtime: Runtime,
  book: StreamBook,
  spoil: (content: Uint8Array) => Uint8Array = (content) => content,
): Promise<RunningStreamServer> {
  const service: HttpService = async ({ path, body }) => {
    book.served(path.slice(1));
    let count = 0;
    const echoed = async function* (): AsyncGenerator<Uint8Array, void> {
      for await (const chunk of body) {
        count += chunk.byteLength;
        yield spoil(chunk);
      }
    };
    const trailers = (): Fields => Fields.of({ 'x-count': String(count) });
    return { status: 200, fields: new Fields(), body: streamBody(echoed(), { trailers }) };
  };
  const server = await serve(service, { runtime, address: { host: streamHost, port: streamPort } });
  return { drain: () => server.drain(), stop: () => server.stop() };
}
