import { Call, HeddleError, type Runtime, settle } from '@heddle/kernel';
import { emptyBody, endpoint, Fields, type HttpRequest, wholeBody } from '@heddle/wire';

const longestAnswer = 1_048_576;
const limitMs = 5000;
/** Anonymous, and believing the authorities that Node comes with. */
const usualRoots = { current: { identities: [] } };

/** A question to another system by HTTP. */
export interface Question {
  readonly url: string;
  /** Default GET, or POST where there is a form. */
  readonly method?: string;
  readonly form?: Readonly<Record<string, string>> | undefined;
  readonly authorization?: string | undefined;
}

/** Gets a text. Rejects as `ask`, and with `unavailable` / `NOT_FETCHED` for an answer that is not 200. */
export async function fetchText(url: string, runtime: Runtime): Promise<string> {
  const { status, text } = await ask({ url }, runtime);
  if (status !== 200) throw unreadable(`it answered ${status}`);
  return text;
}

/**
 * Asks, and gives an answer of at most 1 MiB within 5 s. Follows no redirect: who may be asked is configuration.
 * Rejects with `unavailable` where there is no answer.
 */
export async function ask(question: Question, runtime: Runtime): Promise<{ status: number; text: string }> {
  const { protocol, hostname, port, host, pathname, search } = new URL(question.url);
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
      scheme: secure ? ('https' as const) : ('http' as const),
      authority: host,
      path: pathname + search,
      ...contentOf(question),
    };
    const result = await settle(way.request, request, call);
    if (!result.ok) throw result.error;
    const { status, body } = result.value;
    return { status, text: new TextDecoder().decode(await body.bytes(longestAnswer)) };
  } finally {
    timer.cancel();
    way.close();
  }
}

function contentOf({
  method,
  form,
  authorization,
}: Question): Pick<HttpRequest, 'method' | 'fields' | 'body'> {
  const fields = Fields.of({ accept: 'application/json' });
  if (authorization !== undefined) fields.set('authorization', authorization);
  if (form === undefined) return { method: method ?? 'GET', fields, body: emptyBody };
  fields.set('content-type', 'application/x-www-form-urlencoded');
  const body = wholeBody(new TextEncoder().encode(new URLSearchParams(form).toString()));
  return { method: method ?? 'POST', fields, body };
}

function unreadable(message: string): HeddleError {
  return new HeddleError({ code: 'unavailable', reason: 'NOT_FETCHED', message, sent: false });
}
