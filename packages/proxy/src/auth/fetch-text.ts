import { Call, HeddleError, type Runtime, settle } from '@heddle/kernel';
import { emptyBody, endpoint, Fields } from '@heddle/wire';

const longestAnswer = 1_048_576;
const limitMs = 5000;
/** Anonymous, and believing the authorities that Node comes with. */
const usualRoots = { current: { identities: [] } };

/** Gets a text of at most 1 MiB within 5 s. Follows no redirect: who may be asked is configuration. */
export async function fetchText(url: string, runtime: Runtime): Promise<string> {
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
  const timer = runtime.timers.after(limitMs, () => call.cancel(unreadable('it did not answer in time')));
  try {
    const request = {
      method: 'GET',
      scheme: secure ? ('https' as const) : ('http' as const),
      authority: host,
      path: pathname + search,
      fields: Fields.of({ accept: 'application/json' }),
      body: emptyBody,
    };
    const result = await settle(way.request, request, call);
    if (!result.ok) throw result.error;
    if (result.value.status !== 200) throw unreadable(`it answered ${result.value.status}`);
    return new TextDecoder().decode(await result.value.body.bytes(longestAnswer));
  } finally {
    timer.cancel();
    way.close();
  }
}

function unreadable(message: string): HeddleError {
  return new HeddleError({ code: 'unavailable', reason: 'NOT_FETCHED', message, sent: false });
}
