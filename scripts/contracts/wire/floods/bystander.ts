// A client that behaves, while another does not.
import assert from 'node:assert/strict';
import { type ClientHttp2Session, connect } from 'node:http2';

const patienceMs = 5000;

/** Asks again and again over one connection, and remembers how long each answer took. */
export class Bystander {
  readonly #session: ClientHttp2Session;
  readonly #tookMs: number[] = [];
  #asking = true;
  readonly #done: Promise<void>;

  constructor(port: number) {
    this.#session = connect(`http://127.0.0.1:${port}`);
    this.#session.on('error', () => {});
    this.#done = this.#askOn();
    // Whoever calls `stop` hears of it.
    this.#done.catch(() => {});
  }

  /** Stops asking. Gives the median of the times in milliseconds, and how many there were; rejects if one was not answered. */
  async stop(): Promise<{ medianMs: number; calls: number }> {
    this.#asking = false;
    try {
      await this.#done;
    } finally {
      this.#session.destroy();
    }
    const sorted = this.#tookMs.toSorted((a, b) => a - b);
    return { medianMs: sorted[sorted.length >> 1] ?? 0, calls: sorted.length };
  }

  async #askOn(): Promise<void> {
    do {
      const startedMs = performance.now();
      assert.equal(await this.#ask(), '200 here', 'what the bystander is answered');
      this.#tookMs.push(performance.now() - startedMs);
    } while (this.#asking);
  }

  #ask(): Promise<string> {
    return new Promise((resolve, reject) => {
      const stream = this.#session.request({ ':path': '/bystander' });
      let status = 0;
      let content = '';
      stream.setTimeout(patienceMs, () => reject(new Error(`no answer to a bystander for ${patienceMs} ms`)));
      stream.on('response', (fields) => (status = Number(fields[':status'])));
      stream.on('data', (chunk: Buffer) => (content += chunk.toString()));
      stream.on('end', () => resolve(`${status} ${content}`));
      stream.on('error', reject);
    });
  }
}
