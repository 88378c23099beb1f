import type { Runtime } from '@heddle/kernel';
import { endpoint, type EndpointTls } from '@heddle/wire';
import type { Reach } from '../servers/server-group.ts';

/**
 * Reaches a registry server by HTTP/2: all that this process watches shares a connection. A server takes 100 streams
 * on one, unless it was told otherwise; the next hundred get another, up to 64 of them.
 */
export function overHttp2(runtime: Runtime, tls?: EndpointTls): Reach {
  const limits = { connections: 64, connectMs: 2000 };
  return (address) =>
    endpoint({ runtime, address, protocol: 'http2', limits, ...(tls !== undefined && { tls }) });
}
