import { HeddleError, type Runtime } from '@heddle/kernel';
import { registryClosed } from '../../registry/kept-registrations.ts';
import type { DesiredRegistration, Registry } from '../../registry/registry.ts';
import type { Snapshot } from '../../registry/snapshot.ts';
import { checkServiceName } from '../../registry/validate-instance.ts';
import { DnsClient, type DnsClientOptions } from './dns-client.ts';
import { DnsFeed } from './dns-feed.ts';
import { type DnsQuestion, findInstances } from './dns-instances.ts';

/** Whom to ask, and what. */
export interface DnsRegistryOptions extends DnsClientOptions {
  /** What to ask for a service, e.g. `{ kind: 'srv', name: \`${service}.service.consul\` }`. */
  readonly question: (service: string) => DnsQuestion;
}

/**
 * Finds instances by DNS (A, AAAA, SRV), from a plain server or from Consul's. A watch asks again when the TTL has run
 * out (every second at most, every five minutes at least), so it hears of a change that late. NXDOMAIN is an answer:
 * no instances; a server that fails makes the last answer `stale`. DNS cannot be written to, and does not list
 * services: those reject with `unimplemented` / `UNSUPPORTED`. For Kubernetes, use a headless service.
 */
export function dnsRegistry(options: DnsRegistryOptions): Registry {
  return new DnsRegistry(options);
}

class DnsRegistry implements Registry {
  readonly name = 'dns';
  readonly #options: DnsRegistryOptions;
  readonly #runtime: Runtime;
  readonly #client: DnsClient;
  readonly #feeds = new Map<string, DnsFeed>();
  /** DNS has no history: the term is when this object began. */
  readonly #term: number;
  #revision = 0;
  #problem: HeddleError | undefined;
  #closed = false;

  constructor(options: DnsRegistryOptions) {
    this.#options = options;
    this.#runtime = options.runtime;
    this.#client = new DnsClient(options);
    this.#term = Math.max(0, Math.floor(options.runtime.clock.wallMs()));
  }

  get problem(): HeddleError | undefined {
    return this.#problem;
  }

  register(): Promise<DesiredRegistration> {
    return Promise.reject(unsupported('register an instance'));
  }

  deregister(): Promise<void> {
    return Promise.reject(unsupported('deregister an instance'));
  }

  heartbeat(): Promise<void> {
    return Promise.reject(unsupported('take a heartbeat'));
  }

  services(): Promise<readonly string[]> {
    return Promise.reject(unsupported('list services'));
  }

  async instances(service: string): Promise<Snapshot> {
    this.#check(service);
    const { instances } = await findInstances(this.#client, service, this.#options.question(service));
    const position = { term: this.#term, revision: this.#revision };
    return { service, ...position, ageMs: 0, stale: false, source: 'registry', instances, heldBack: 0 };
  }

  watch(service: string, signal?: AbortSignal): AsyncIterableIterator<Snapshot> {
    this.#check(service);
    let feed = this.#feeds.get(service);
    if (feed === undefined) {
      feed = new DnsFeed({
        runtime: this.#runtime,
        service,
        term: this.#term,
        find: () => findInstances(this.#client, service, this.#options.question(service)),
        nextRevision: () => ++this.#revision,
        onProblem: (problem) => this.#noteProblem(service, problem),
        onIdle: () => this.#feeds.delete(service),
      });
      this.#feeds.set(service, feed);
    }
    return feed.watch(signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const feed of this.#feeds.values()) feed.stop();
  }

  #noteProblem(service: string, problem: HeddleError | undefined): void {
    if (problem !== undefined && this.#problem?.reason !== problem.reason) {
      const fields = { service, reason: problem.reason, error: problem.message };
      this.#runtime.log('warn', 'a service cannot be found by DNS', fields);
    }
    this.#problem = problem;
  }

  #check(service: string): void {
    checkServiceName(service);
    if (this.#closed) throw registryClosed();
  }
}

function unsupported(what: string): HeddleError {
  const message = `DNS cannot ${what}; use a registry that can, or its own tools`;
  return new HeddleError({ code: 'unimplemented', reason: 'UNSUPPORTED', message, sent: false });
}
