import type { HeddleError } from '@heddle/kernel';
import { HandConnection, settled } from '../../http1/testdata/hand-connection.ts';
import { type HandRuntime, handRuntime } from '../../http1/testdata/hand-runtime.ts';
import { emptyBody } from '../../message/body.ts';
import { Fields } from '../../message/fields.ts';
import type { HttpService } from '../../message/http.ts';
import type { Http2Limits } from '../limits.ts';
import { type Http2ServerConnection, serveHttp2 } from '../server-connection.ts';
import { FrameLog, hello } from './raw-frames.ts';

/** Answers everything with 200 and nothing, when the request has been read. */
export const nothingService: HttpService = async (request) => {
  await request.body.bytes(1_000_000);
  return { status: 200, fields: new Fields(), body: emptyBody };
};

/** A server whose client is the test: frames go in by hand, and those that come out are logged. */
export class ByHand {
  readonly runtime: HandRuntime = handRuntime();
  readonly connection: HandConnection = new HandConnection();
  readonly server: Http2ServerConnection;
  readonly log: FrameLog = new FrameLog();
  /** How calls ended, in order. */
  readonly ends: (HeddleError | undefined)[] = [];
  #logged = 0;

  constructor(service: HttpService = nothingService, limits: Partial<Http2Limits> = {}) {
    const observed: HttpService = (request, call) => {
      call.onEnd(({ error }) => this.ends.push(error));
      return service(request, call);
    };
    this.server = serveHttp2(this.connection, observed, { runtime: this.runtime, limits });
  }

  /** The client says hello. */
  async begin(...frames: readonly Buffer[]): Promise<void> {
    this.feed(hello, ...frames);
    await this.turn();
  }

  /** All of it comes in one chunk. */
  feed(...frames: readonly Buffer[]): void {
    this.connection.feed(Buffer.concat(frames));
  }

  /** Lets everything happen that is due now, and logs what was written. */
  async turn(): Promise<void> {
    await settled();
    await this.runtime.time.advance(0);
    await settled();
    await this.runtime.time.advance(0);
    const written = Buffer.from(this.connection.written, 'latin1');
    this.log.read(written.subarray(this.#logged));
    this.#logged = written.length;
  }

  /** Lets so much time pass. */
  async pass(ms: number): Promise<void> {
    await this.runtime.time.advance(ms);
    await this.turn();
  }
}
