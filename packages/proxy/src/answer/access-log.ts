import { type Call, type CallKey, callKey, type HeddleError, type Layer } from '@heddle/kernel';
import { endpointOf } from '@heddle/telemetry';
import { type HttpRequest, type HttpResponse, peer } from '@heddle/wire';

/** What is written about requests; the key `accessLog` of a gateway file. */
export interface AccessLog {
  /** `json`: an object a line. `common`: the Common Log Format of Apache and nginx. */
  readonly format: 'json' | 'common';
  /** The share of requests that is written, from 0 to 1; those that are answered with 5xx always are. Default 1. */
  readonly sample: number;
}

/** One request and what became of it. Never its query, its content, or any field that may hold a secret. */
interface Entry {
  readonly time: string;
  readonly client: string;
  readonly user: string | undefined;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly status: number;
  /** Of the content; undefined where it was not known beforehand. */
  readonly bytes: number | undefined;
  readonly ms: number;
  readonly route: string;
  readonly requestId: string | undefined;
  readonly agent: string | undefined;
  /** Why it broke off, where it did. */
  readonly error: string | undefined;
}

/** What layers below find out for the line, which is written above them. */
const noted: CallKey<{ user: string | undefined } | undefined> = callKey<
  { user: string | undefined } | undefined
>('access-log', undefined);

/** Says who has sent a request, for its line. For whoever authenticates. */
export function noteCaller(call: Call, subject: string): void {
  const shared = call.get(noted);
  if (shared !== undefined) shared.user = subject;
}

const cancelledStatus = 499;

/** Writes a line for each request when its last byte has gone. `write` must not throw, and not wait. */
export function accessLogged(
  { format, sample }: AccessLog,
  write: (line: string) => void,
): Layer<HttpRequest, HttpResponse> {
  const line = format === 'json' ? asJson : asCommon;
  return (next) => async (req, call) => {
    const { clock, random } = call.runtime;
    const startMs = clock.nowMs();
    let answer: HttpResponse | undefined;
    const note = { user: undefined };
    call.set(noted, note);
    const isChosen = sample >= 1 || random.float() < sample;
    call.onEnd(({ error }) => {
      const status = error?.code === 'cancelled' ? cancelledStatus : (answer?.status ?? 500);
      if (isChosen || status >= 500)
        write(line(entryOf(req, answer, status, error, clock.nowMs() - startMs, note.user, call)));
    });
    answer = await next(req, call);
    return answer;
  };
}

function entryOf(
  req: HttpRequest,
  answer: HttpResponse | undefined,
  status: number,
  error: HeddleError | undefined,
  ms: number,
  user: string | undefined,
  call: Call,
): Entry {
  const question = req.path.indexOf('?');
  return {
    time: new Date(call.runtime.clock.wallMs()).toISOString(),
    client: call.get(peer)?.address.host ?? '-',
    user,
    method: req.method,
    host: req.authority,
    path: question === -1 ? req.path : req.path.slice(0, question),
    status,
    bytes: answer?.body.size,
    ms: Math.round(ms * 1000) / 1000,
    route: endpointOf(call),
    requestId: answer?.fields.get('x-request-id'),
    agent: req.fields.get('user-agent'),
    error: error?.reason,
  };
}

function asJson(entry: Entry): string {
  return JSON.stringify(entry);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `client - user [day/month/year:time zone] "request" status bytes`. The version of HTTP is not known here, and said as 1.1. */
function asCommon({ time, client, user, method, path, status, bytes }: Entry): string {
  const [year = '', month = '', rest = ''] = time.split('-');
  const at = `${rest.slice(0, 2)}/${months[Number(month) - 1]}/${year}:${rest.slice(3, 11)} +0000`;
  return `${client} - ${plain(user ?? '-')} [${at}] "${plain(method)} ${plain(path)} HTTP/1.1" ${status} ${bytes ?? '-'}`;
}

/** What would end a field or a line is written as its code. */
function plain(text: string): string {
  return text.replace(
    /[^\x21\x23-\x5b\x5d-\x7e]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
