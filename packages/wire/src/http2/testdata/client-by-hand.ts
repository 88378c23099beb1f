import { Call, type HeddleError, type Result, settle } from '@heddle/kernel';
import { HandConnection, settled } from '../../http1/testdata/hand-connection.ts';
import { type HandRuntime, handRuntime } from '../../http1/testdata/hand-runtime.ts';
import { emptyBody } from '../../message/body.ts';
import { Fields } from '../../message/fields.ts';
import type { HttpRequest, HttpResponse } from '../../message/http.ts';
import { connectHttp2, type Http2ClientConnection } from '../client-connection.ts';
import { clientPreface, flag, frameType } from '../frame.ts';
import type { Http2Limits } from '../limits.ts';
import { FrameLog, frame, settings } from './raw-frames.ts';

/** A request that asks for nothing special. */
export function request(change: Partial<HttpRequest> = {}): HttpRequest {
  const plain = { method: 'GET', scheme: 'http', authority: 'test', path: '/', body: emptyBody } as const;
  return { ...plain, fields: new Fields(), ...change };
}

/** A request that was sent, and what became of it. */
export interface Sent {
  readonly call: Call;
  /** Undefined until the promise has settled. */
  result: Result<HttpResponse> | undefined;
  /** How the call ended; `undefined` until it has. */
  outcome: { readonly error: HeddleError | undefined } | undefined;
}

/** A client whose server is the test. */
export class ClientByHand {
  readonly runtime: HandRuntime = handRuntime();
  readonly connection: HandConnection = new HandConnection();
  readonly client: Http2ClientConnection;
  readonly log: FrameLog = new FrameLog();
  #logged: number = clientPreface.length;

  constructor(limits: Partial<Http2Limits> = {}) {
    this.client = connectHttp2(this.connection, { runtime: this.runtime, limits });
  }

  /** The server says hello. */
  async begin(...pairs: readonly (readonly [identifier: number, value: number])[]): Promise<void> {
    this.feed(settings(...pairs), frame(frameType.settings, flag.ack, 0));
    await this.turn();
  }

  /** Sends a request; nothing is written before the next `turn`. */
  send(change: Partial<HttpRequest> = {}): Sent {
    const call = Call.root(this.runtime);
    const sent: Sent = { call, result: undefined, outcome: undefined };
    call.onEnd((outcome) => (sent.outcome = outcome));
    void settle(this.client.request, request(change), call).then((result) => (sent.result = result));
    return sent;
  }

  feed(...frames: readonly Buffer[]): void {
    this.connection.feed(Buffer.concat(frames));
  }

  async turn(): Promise<void> {
    await settled();
    await this.runtime.time.advance(0);
    await settled();
    await this.runtime.time.advance(0);
    const written = Buffer.from(this.connection.written, 'latin1');
    if (written.length <= this.#logged) return;
    this.log.read(written.subarray(this.#logged));
    this.#logged = written.length;
  }
}
