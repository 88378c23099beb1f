// Our server as the counterparts meet it, and a proxy of ours in front of somebody else's.
import { createHash } from 'node:crypto';
import type { Runtime } from '@heddle/kernel';
import { nodeRuntime, TlsStore } from '@heddle/kernel/node';
import { TestAuthority } from '@heddle/kernel/testing';
import {
  endpoint,
  Fields,
  type HttpResponse,
  type HttpServer,
  type HttpService,
  type ServeOptions,
  serve,
  streamBody,
  wholeBody,
} from '@heddle/wire';
import type { Place } from '../../../engines/engine.ts';

/** The runtime of all of our parts here. */
export const runtime: Runtime = nodeRuntime({ name: 'counterparts', logLevel: 'error' });
/** Certifies `localhost` and 127.0.0.1. */
export const authority: TestAuthority = new TestAuthority('counterparts', runtime.clock.wallMs());
const identity = authority.issue({ dnsNames: ['localhost'], addresses: ['127.0.0.1'] });
/** TLS of our servers here. */
export const tls: NonNullable<ServeOptions['tls']> = { source: new TlsStore({ identities: [identity] }) };

/** What `/large` answers with. */
export const large: Uint8Array = Buffer.alloc(1_000_000, 'warp and weft ');

/** As hex. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What the checks ask for. */
export const service: HttpService = async ({ path, method, body, fields }) => {
  switch (path.replace(/\?.*$/, '')) {
    case '/hello':
      return answer(200, Buffer.from(`hello ${method}`), { etag: '"1"' });
    case '/large':
      return answer(200, large);
    case '/echo':
      return { status: 200, fields: Fields.of({ 'x-seen': fields.get('x-seen') ?? '' }), body };
    case '/digest':
      return answer(200, Buffer.from(digestOf(await body.bytes(100_000_000))));
    case '/nothing':
      return answer(204, new Uint8Array(0));
    case '/unmodified':
      return answer(304, new Uint8Array(0), { etag: '"1"' });
    case '/trailers': {
      const sum = `${(await body.bytes(1000)).byteLength}`;
      const trailers = (): Fields =>
        Fields.of({ 'x-sum': sum, 'x-got': body.trailers?.get('x-sum') ?? 'none' });
      return { status: 200, fields: new Fields(), body: streamBody(once('x'), { trailers }) };
    }
    case '/drip':
      return { status: 200, fields: Fields.of({ 'content-type': 'text/plain' }), body: streamBody(drips()) };
    default:
      return answer(404, Buffer.from('nothing here'));
  }
};

function answer(status: number, content: Uint8Array, fields: Record<string, string> = {}): HttpResponse {
  return { status, fields: Fields.of({ 'content-type': 'text/plain', ...fields }), body: wholeBody(content) };
}

async function* once(text: string): AsyncGenerator<Uint8Array, void> {
  yield Buffer.from(text);
}

async function* drips(): AsyncGenerator<Uint8Array, void> {
  for (let drop = 0; drop < 5; drop++) {
    yield Buffer.from(`drop ${drop}\n`);
    await new Promise<void>((resolve) => void runtime.timers.after(20, resolve));
  }
}

/** A server of ours on a free port of the loopback. */
export function started(
  what: HttpService = service,
  options: Partial<ServeOptions> = {},
): Promise<HttpServer> {
  return serve(what, { runtime, address: { host: '127.0.0.1', port: 0 }, ...options });
}

/** A proxy of ours. Stop it with `stop`, which lets its connections go too. */
export async function proxyTo(
  address: Place,
  protocol: 'http1' | 'http2',
  options: Partial<ServeOptions> = {},
): Promise<HttpServer> {
  const way = endpoint({ runtime, address, protocol });
  const proxy = await started((request, call) => way.request(request, call), options);
  return {
    address: proxy.address,
    get connections() {
      return proxy.connections;
    },
    refusals: proxy.refusals,
    abuse: proxy.abuse,
    drain: () => proxy.drain(),
    stop: async () => {
      await proxy.stop();
      way.close();
    },
  };
}
