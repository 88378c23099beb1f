// The engine on a connection by hand in virtual time, and what must hold when it is over.
import { type Call, HeddleError } from '@heddle/kernel';
import { HandConnection, settled } from '../packages/wire/src/http1/testdata/hand-connection.ts';
import { type HandRuntime, handRuntime } from '../packages/wire/src/http1/testdata/hand-runtime.ts';
import {
  type Body,
  emptyBody,
  Fields,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
} from '../packages/wire/src/index.ts';
import { streamBody, wholeBody } from '../packages/wire/src/message/body.ts';
import { meantFields, type Meaning } from './meaning.ts';
import type { Manner } from './plan.ts';
import { expect } from './target.ts';

// Longer than every limit of time that an idle or slow peer is given, and short enough to be stepped through.
const longestMs = 400_000;
const longestContent = 1_000_000;

/** A request that the service has seen. */
export interface Served {
  readonly request: HttpRequest;
  readonly call: Call;
  /** All of it, once it has been read without an error. */
  meaning: Meaning | undefined;
}

/** One end of a connection, the other end of which is the input. */
export class Hand {
  readonly runtime: HandRuntime = handRuntime();
  readonly connection: HandConnection = new HandConnection();
  readonly served: Served[] = [];

  /** A service with that manner. */
  service(manner: Manner): HttpService {
    return async (request, call) => {
      const served: Served = { request, call, meaning: undefined };
      const index = this.served.push(served) - 1;
      const answer = (status: number, body: Body): HttpResponse => ({
        status,
        // Tells which stream it was: nothing else outside the engine does.
        fields: Fields.of({ 'content-type': 'text/plain', 'x-served': String(index) }),
        body,
      });
      if (manner === 'early') return answer(200, wholeBody(Buffer.from('early')));
      if (manner === 'pour') return answer(200, request.body);
      if (manner === 'refuse')
        throw new HeddleError({ code: 'unavailable', reason: 'BUSY', message: 'busy' });
      if (manner === 'slow') await later(this.runtime, 5000);
      // Before it is answered, nothing can be read from what may become a tunnel.
      if (request.protocol !== undefined || request.method === 'CONNECT') return answer(501, emptyBody);
      if (manner === 'leave') return answer(200, await firstChunk(request));
      const content = await request.body.bytes(longestContent);
      served.meaning = meaningOf(request, content);
      if (manner === 'trailers') return answer(200, wholeBody(content, Fields.of({ 'x-sum': '1' })));
      return answer(200, wholeBody(content));
    };
  }

  /** Lets all happen that is due at this moment. */
  async turn(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      await settled();
      await this.runtime.time.advance(0);
    }
    if (this.connection.destroyed) this.connection.close();
  }

  /** What was written so far. */
  get written(): Buffer {
    return Buffer.from(this.connection.written, 'latin1');
  }

  /**
   * The other end says no more and reads all: within the limits of time the engine gives the connection up. With an
   * answer that pours out what comes in, silence is nothing wrong; the engine must then still be looking.
   */
  async outwait(manner: Manner): Promise<void> {
    for (let passed = 0; passed < longestMs && !this.connection.destroyed; passed += 10_000) {
      await this.runtime.time.advance(10_000);
      // Who has read the end closes: the rest is silence.
      if (this.connection.ended) this.connection.close();
    }
    if (manner === 'pour' && this.runtime.time.pending > 0) return;
    expect(this.connection.destroyed, () => `open: after ${longestMs} ms of silence the connection still is`);
    await this.turn();
  }

  /** The connection is lost; nothing may be left of what was on it. */
  async lose(): Promise<void> {
    this.connection.close();
    await this.turn();
    await this.runtime.time.advance(longestMs);
    const unended = this.served.filter(({ call }) => call.outcome === undefined);
    expect(
      unended.length === 0,
      () => `unended: ${unended.length} calls have not ended with their connection`,
    );
    const { pending } = this.runtime.time;
    expect(pending === 0, () => `timers: ${pending} are left of a connection that is gone`);
  }
}

function later(runtime: HandRuntime, ms: number): Promise<void> {
  return new Promise((resolve) => void runtime.timers.after(ms, resolve));
}

async function firstChunk({ body }: HttpRequest): Promise<Body> {
  for await (const chunk of body) return streamBody(once(chunk));
  return emptyBody;
}

async function* once(chunk: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield chunk;
}

function meaningOf({ method, authority, path, fields, body }: HttpRequest, content: Uint8Array): Meaning {
  return {
    start: `${method} ${plainAuthority(authority)} ${path}`,
    fields: meantFields(fields.raw),
    content: Buffer.from(content).toString('latin1'),
    trailers: meantFields(body.trailers?.raw ?? []),
  };
}

/** Host names in lower case, without the port that `http` has anyway (RFC 9110 section 4.2.3). */
export function plainAuthority(authority: string): string {
  return authority.toLowerCase().replace(/:(80)?$/, '');
}
