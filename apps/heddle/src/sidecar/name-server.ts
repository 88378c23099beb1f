import { nodeDatagrams } from '@heddle/discovery/dns';
import { type Address, Call, HeddleError, type Part, type Runtime } from '@heddle/kernel';
import { type UdpServer, udpServer } from '../node/udp-server.ts';
import { addressIn, type AddressOf, dnsAnswer, dnsFailure } from './dns-answer.ts';

/** What a name server is made from. */
export interface NameServerOptions {
  readonly runtime: Runtime;
  readonly address: Address;
  /** Who knows all other names; undefined: nobody. */
  readonly upstream: Address | undefined;
}

const upstreamMs = 4000;
/** Questions on their way to others at a time; one more is answered with a failure. */
const mostAtOnce = 1000;

/**
 * A name server for the application beside us: services of the mesh have loopback addresses, all else is passed on to
 * another server and back as it is. By UDP: our own answers are short, and longer ones of others say so themselves.
 */
export class NameServer implements Part {
  readonly name = 'name server';
  readonly #options: NameServerOptions;
  #server: UdpServer | undefined;
  #addressOf: AddressOf = () => undefined;
  #asking = 0;

  constructor(options: NameServerOptions) {
    this.#options = options;
  }

  /** Where it listens. Throws `failed_precondition` before `start`. */
  get address(): Address {
    if (this.#server !== undefined) return this.#server.address;
    const message = 'the name server has no address before it is started';
    throw new HeddleError({ code: 'failed_precondition', reason: 'NOT_STARTED', message });
  }

  /** These are the names from now on; `*.shop.example` stands for all below it. */
  become(names: ReadonlyMap<string, string>): void {
    this.#addressOf = addressIn(names);
  }

  async start(): Promise<void> {
    this.#server = await udpServer(this.#options.address, (query, reply) => {
      const own = dnsAnswer(query, this.#addressOf);
      if (own !== undefined) reply(own);
      else void this.#ask(query, reply);
    });
  }

  async stop(): Promise<void> {
    this.#server?.close();
  }

  async #ask(query: Uint8Array, reply: (answer: Uint8Array) => void): Promise<void> {
    const { upstream, runtime } = this.#options;
    const failure = dnsFailure(query);
    if (failure === undefined) return;
    if (upstream === undefined || this.#asking >= mostAtOnce) {
      reply(failure);
      return;
    }
    this.#asking += 1;
    const call = Call.root(runtime, runtime.clock.nowMs() + upstreamMs);
    const limit = runtime.timers.after(upstreamMs, () => call.cancel(silent()));
    const isAnswer = (answer: Uint8Array): boolean => answer[0] === query[0] && answer[1] === query[1];
    try {
      reply(await nodeDatagrams(query, upstream, isAnswer, call));
    } catch {
      reply(failure);
    } finally {
      limit.cancel();
      call.end();
      this.#asking -= 1;
    }
  }
}

function silent(): HeddleError {
  const message = `no name server answered within ${upstreamMs} ms`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'DNS_SILENT', message });
}
