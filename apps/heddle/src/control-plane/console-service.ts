import type { Call, CancelListener } from '@heddle/kernel';
import { emptyBody, Fields, type HttpResponse, type HttpService, streamBody, wholeBody } from '@heddle/wire';
import type { Observer } from './observer.ts';
import type { Overview } from './overview.ts';

/** A file of the console, as it is served. */
export interface Asset {
  readonly type: string;
  readonly bytes: Uint8Array;
}

const most = 100;
const encoder = new TextEncoder();

// No inline script or style, nothing from elsewhere, no framing: what is injected into a name is shown, never run.
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * The console: its files, `GET /api/overview`, and `GET /api/events`, which sends each new overview as a Server-Sent
 * Event. Read only. Answers only requests for a loopback name: a page of another site that has its own name resolve
 * to this machine gets nothing.
 */
export function consoleService(assets: ReadonlyMap<string, Asset>, observer: Observer): HttpService {
  let listeners = 0;
  return async (req, call) => {
    if (!isLoopback(req.authority)) return text(421, 'this console answers to localhost only\n');
    if (req.method !== 'GET' && req.method !== 'HEAD') return text(405, 'this console is read only\n');
    const path = req.path.split('?', 1)[0] ?? '/';
    if (path === '/api/overview') return json(observer.latest);
    if (path === '/api/events' && req.method === 'GET') {
      if (listeners >= most) return text(503, 'too many consoles are open\n');
      listeners++;
      call.onEnd(() => {
        listeners--;
      });
      return events(observer, call);
    }
    const asset = assets.get(path === '/' ? '/index.html' : path);
    if (asset === undefined) return text(404, 'not found\n');
    return answer(200, asset.type, req.method === 'HEAD' ? new Uint8Array(0) : asset.bytes);
  };
}

function events(observer: Observer, call: Call): HttpResponse {
  const fields = secured(Fields.of({ 'content-type': 'text/event-stream' }));
  return { status: 200, fields, body: streamBody(overviews(observer, call)) };
}

/** The newest at once, then each new one; a reader that is slow gets the newest and not those between. */
async function* overviews(observer: Observer, call: Call): AsyncGenerator<Uint8Array, void> {
  let next: Overview | undefined = observer.latest;
  let wake: () => void = () => {};
  const stopListening = observer.subscribe((overview) => {
    next = overview;
    wake();
  });
  const onCancel: CancelListener = () => wake();
  call.onCancel(onCancel);
  try {
    while (call.cancelled === undefined) {
      if (next === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const event = `event: overview\ndata: ${JSON.stringify(next)}\n\n`;
      next = undefined;
      yield encoder.encode(event);
    }
  } finally {
    stopListening();
  }
}

function json(value: object): HttpResponse {
  return answer(200, 'application/json', encoder.encode(JSON.stringify(value)));
}

function text(status: number, content: string): HttpResponse {
  return answer(status, 'text/plain; charset=utf-8', encoder.encode(content));
}

function answer(status: number, type: string, bytes: Uint8Array): HttpResponse {
  const body = bytes.byteLength === 0 ? emptyBody : wholeBody(bytes);
  return { status, fields: secured(Fields.of({ 'content-type': type })), body };
}

function secured(fields: Fields): Fields {
  return fields
    .append('cache-control', 'no-store')
    .append('content-security-policy', policy)
    .append('x-content-type-options', 'nosniff')
    .append('referrer-policy', 'no-referrer')
    .append('cross-origin-opener-policy', 'same-origin')
    .append('cross-origin-resource-policy', 'same-origin');
}

/** Whether a request is for a name of this machine alone: a page of another site cannot make one up that is. */
export function isLoopback(authority: string): boolean {
  const host = authority.replace(/:\d+$/, '').toLowerCase();
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(host)
  );
}
