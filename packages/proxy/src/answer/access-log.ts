import { type Call, type CallKey, callKey, type HeddleError, type Layer } from '@heddle/kernel';
import { endpointOf } from '@heddle/telemetry';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import { addressOf } from '../forward/client-address.ts';
import { quoted } from './quoted.ts';

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
  return (next) => (req, call) => {
    const { clock, random } = call.runtime;
    const startMs = clock.nowMs();
    const isChosen = sample >= 1 || random.float() < sample;
    const note: { user: string | undefined; answer: HttpResponse | undefined } = {
      user: undefined,
      answer: undefined,
    };
    call.set(noted, note);
    call.onEnd(({ error }) => {
      const { user, answer } = note;
      const status = error?.code === 'cancelled' ? cancelledStatus : (answer?.status ?? 500);
      if (!isChosen && status < 500) return;
      write(line(entryOf(req, answer, status, error, clock.nowMs() - startMs, user, call)));
    });
    const pending = next(req, call);
    // Told before whoever waits for the answer, who need not wait for one more promise.
    pending.then((answer) => {
      note.answer = answer;
    }, nothing);
    return pending;
  };
}

function nothing(): void {}

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
    time: isoTime(call.runtime.clock.wallMs()),
    client: addressOf(call) ?? '-',
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

/** By hand: it is a third of what `JSON.stringify` costs, and there is one for each request. */
function asJson(entry: Entry): string {
  const { time, client, user, method, host, path, status, bytes, ms, route, requestId, agent, error } = entry;
  let text = `{"time":"${time}","client":${quoted(client)}`;
  if (user !== undefined) text += `,"user":${quoted(user)}`;
  text += `,"method":${quoted(method)},"host":${quoted(host)},"path":${quoted(path)},"status":${status}`;
  if (bytes !== undefined) text += `,"bytes":${bytes}`;
  text += `,"ms":${ms},"route":${quoted(route)}`;
  if (requestId !== undefined) text += `,"requestId":${quoted(requestId)}`;
  if (agent !== undefined) text += `,"agent":${quoted(agent)}`;
  if (error !== undefined) text += `,"error":${quoted(error)}`;
  return `${text}}`;
}

let knownSecond = -1;
let secondText = '';

/** As `Date` writes it; what is above the milliseconds changes once a second. */
function isoTime(wallMs: number): string {
  const second = Math.floor(wallMs / 1000);
  if (second !== knownSecond) {
    knownSecond = second;
    secondText = new Date(second * 1000).toISOString().slice(0, 20);
  }
  return `${secondText}${String(Math.floor(wallMs - second * 1000)).padStart(3, '0')}Z`;
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
