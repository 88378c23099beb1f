import type { Runtime } from '@heddle/kernel';
import { emptyBody, endpoint, type EndpointTls, Fields, type HttpRequest } from '@heddle/wire';
import { authorityOf } from './authority.ts';
import { critical, passing, type Probe } from './probe.ts';

/** What an HTTP check expects. */
export interface HttpProbeOptions {
  /** Path and query. Default `/`. */
  readonly path?: string;
  /** Statuses that pass, both included. Default 200 to 299. */
  readonly status?: { readonly from: number; readonly to: number };
  /** Text that the answer must contain, within its first 64 KiB. Default: it is not read. */
  readonly body?: string;
  /** Default: clear text. */
  readonly tls?: EndpointTls;
}

const longestBodyBytes = 64 * 1024;

/**
 * Asks by GET over HTTP/1.1, on a connection of its own, so that a server that takes no new connections is found out.
 * A redirect is an answer like any other, and not followed.
 */
export function httpProbe(runtime: Runtime, options: HttpProbeOptions = {}): Probe {
  const { path = '/', status: range = { from: 200, to: 299 }, body: expected, tls } = options;
  return async (address, call) => {
    const secured = tls !== undefined && { tls };
    const target = endpoint({ runtime, address, protocol: 'http1', limits: { connections: 1 }, ...secured });
    try {
      const request: HttpRequest = {
        method: 'GET',
        scheme: 'http',
        authority: authorityOf(address),
        path,
        fields: Fields.of({ 'user-agent': 'heddle-health', connection: 'close' }),
        body: emptyBody,
      };
      const { status, body } = await target.request(request, call);
      if (status < range.from || status > range.to) {
        return critical(`expected a status from ${range.from} to ${range.to}, found ${status}`);
      }
      if (expected === undefined) return passing(`status ${status}`);
      const text = await beginningOf(body);
      if (text.includes(expected)) return passing(`status ${status}, and the expected body`);
      return critical(
        `expected ${JSON.stringify(expected)} in the body, found ${JSON.stringify(text.slice(0, 80))}`,
      );
    } finally {
      target.close();
    }
  };
}

/** As much as is looked at. Reads no further, however much there is. */
async function beginningOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of body) {
    chunks.push(chunk.subarray(0, longestBodyBytes - total));
    total += chunk.byteLength;
    if (total >= longestBodyBytes) break;
  }
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join('') + decoder.decode();
}
