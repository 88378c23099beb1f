import type { Random } from '@heddle/kernel';
import { HandConnection, settled } from '../../http1/testdata/hand-connection.ts';
import { type HandRuntime, handRuntime } from '../../http1/testdata/hand-runtime.ts';
import type { HttpService } from '../../message/http.ts';
import { connectHttp2, type Http2ClientConnection } from '../client-connection.ts';
import type { Http2Limits } from '../limits.ts';
import { type Http2ServerConnection, serveHttp2 } from '../server-connection.ts';

/** A client and a server with a wire between them that cuts what passes wherever chance wants. */
export class Linked {
  readonly runtime: HandRuntime = handRuntime();
  readonly client: Http2ClientConnection;
  readonly server: Http2ServerConnection;
  readonly #ends: readonly [HandConnection, HandConnection] = [new HandConnection(), new HandConnection()];
  readonly #passed: [number, number] = [0, 0];
  readonly #random: Random;

  constructor(service: HttpService, random: Random, limits: Partial<Http2Limits> = {}) {
    this.#random = random;
    const { runtime } = this;
    this.server = serveHttp2(this.#ends[1], service, { runtime, limits });
    this.client = connectHttp2(this.#ends[0], { runtime, limits });
  }

  /** Lets bytes pass until nobody has any more to say. */
  async run(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      await settled();
      await this.runtime.time.advance(0);
      if (this.#pass(0) || this.#pass(1)) quiet = 0;
    }
  }

  #pass(from: 0 | 1): boolean {
    const written = Buffer.from(this.#ends[from].written, 'latin1').subarray(this.#passed[from]);
    if (written.length === 0) return false;
    this.#passed[from] += written.length;
    for (let at = 0; at < written.length; ) {
      const size = 1 + (this.#random.uint32() % (this.#random.uint32() % 10 === 0 ? 20_000 : 50));
      this.#ends[from === 0 ? 1 : 0].feed(Buffer.from(written.subarray(at, at + size)));
      at += size;
    }
    return true;
  }
}
