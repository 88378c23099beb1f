import { Call, HeddleError, type Runtime, settle } from '@heddle/kernel';
import { endpoint, Fields, wholeBody } from '@heddle/wire';

const limitMs = 10_000;
const longestAnswer = 65_536;
/** Anonymous, and believing the authorities that Node comes with. */
const usualRoots = { current: { identities: [] } };

/**
 * Posts JSON to a URL of http or https. Rejects with `unavailable` / `NOT_DELIVERED` unless the answer is 2xx within 10 s.
 * Messages name the host and never the path, which is often a secret.
 */
export async function postJson(runtime: Runtime, url: string, value: unknown): Promise<void> {
  const { protocol, hostname, port, host, pathname, search } = new URL(url);
  const secure = protocol === 'https:';
  const address = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (secure ? 443 : 80)) };
  const way = endpoint({
    runtime,
    address,
    protocol: 'http1',
    ...(secure && { tls: { source: usualRoots } }),
  });
  const call = Call.root(runtime, runtime.clock.nowMs() + limitMs);
  const timer = runtime.timers.after(limitMs, () =>
    call.cancel(refused(host, `no answer within ${limitMs} ms`)),
  );
  try {
    const request = {
      method: 'POST',
      scheme: secure ? ('https' as const) : ('http' as const),
      authority: host,
      path: pathname + search,
      fields: Fields.of({ 'content-type': 'application/json', 'user-agent': 'heddle' }),
      body: wholeBody(new TextEncoder().encode(JSON.stringify(value))),
    };
    const result = await settle(way.request, request, call);
    if (!result.ok) throw refused(host, result.error.message);
    const { status, body } = result.value;
    const said = new TextDecoder().decode(await body.bytes(longestAnswer));
    if (status < 200 || status > 299) throw refused(host, `it answered ${status}: ${said.slice(0, 200)}`);
  } finally {
    timer.cancel();
    way.close();
  }
}

function refused(host: string, why: string): HeddleError {
  const message = `${host}: ${why}`;
  return new HeddleError({ code: 'unavailable', reason: 'NOT_DELIVERED', message });
}
