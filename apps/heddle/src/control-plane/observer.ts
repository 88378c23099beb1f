import type { Instance, Registry } from '@heddle/discovery';
import { Call, HeddleError, type Part, type Runtime, settle, type Timer } from '@heddle/kernel';
import { parseExposition, type Sample } from '@heddle/telemetry';
import { emptyBody, type Endpoint, endpoint, Fields, type HttpRequest } from '@heddle/wire';
import type { Overview } from './overview.ts';
import { type Moment, ServiceWatch } from './service-watch.ts';
import { readTraffic } from './traffic-reading.ts';

/** Where an instance's metrics are, if not at its own port. */
const metricsPortKey = 'metrics-port';
const everyMs = 2000;
const scrapeMs = 1500;
const longestMetricsBytes = 4_194_304;

/** Hears what an instance has said of itself; undefined: it did not answer. Must not throw. */
export type ScrapeListener = (instance: Instance, samples: readonly Sample[] | undefined) => void;

/** Hears of each new overview. Must not throw. */
export type OverviewListener = (overview: Overview) => void;

/**
 * Looks at the whole system every two seconds: who is registered, and what each instance's own `/metrics` says.
 * Everything that the console shows comes from here.
 */
export class Observer implements Part {
  readonly name = 'observer';
  readonly #runtime: Runtime;
  readonly #registry: Registry;
  readonly #onScrape: ScrapeListener;
  readonly #services = new Map<string, ServiceWatch>();
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #listeners = new Set<OverviewListener>();
  #timer: Timer | undefined;
  #stopped = false;
  #latest: Overview;

  constructor(runtime: Runtime, registry: Registry, onScrape: ScrapeListener = () => {}) {
    this.#onScrape = onScrape;
    this.#runtime = runtime;
    this.#registry = registry;
    this.#latest = { timeMs: runtime.clock.wallMs(), everyMs, attention: [], services: [] };
  }

  /** The newest overview. */
  get latest(): Overview {
    return this.#latest;
  }

  /** Calls `listener` with every new overview. Returns a function that ends that. */
  subscribe(listener: OverviewListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async start(): Promise<void> {
    await this.#look();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const each of this.#endpoints.values()) each.close();
  }

  async #look(): Promise<void> {
    const startMs = this.#runtime.clock.nowMs();
    try {
      await this.#round();
    } catch (thrown) {
      const { message } = HeddleError.from(thrown);
      this.#runtime.log('warn', 'the registry could not be asked', { error: message });
    }
    if (this.#stopped) return;
    const tookMs = this.#runtime.clock.nowMs() - startMs;
    this.#timer = this.#runtime.timers.after(Math.max(0, everyMs - tookMs), () => void this.#look());
  }

  async #round(): Promise<void> {
    const found = new Set(await this.#registry.services());
    for (const name of found) if (!this.#services.has(name)) this.#services.set(name, new ServiceWatch(name));
    const seen = new Set<string>();
    await Promise.all([...this.#services.values()].map((service) => this.#lookAt(service, seen)));
    this.#forget(seen);
    const at = this.#now();
    const watches = [...this.#services.values()];
    for (const service of watches) service.stepped(at);
    const order = { critical: 0, warning: 1 };
    this.#latest = {
      timeMs: at.wallMs,
      everyMs,
      attention: watches
        .flatMap((service) => service.attention())
        .toSorted((a, b) => order[a.level] - order[b.level] || b.sinceMs - a.sinceMs),
      services: watches.map((service) => service.view(at)).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    };
    for (const listener of this.#listeners) listener(this.#latest);
  }

  async #lookAt(service: ServiceWatch, seen: Set<string>): Promise<void> {
    const { instances } = await this.#registry.instances(service.name);
    service.listed(instances, this.#now());
    await Promise.all(
      instances.map(async (instance) => {
        const samples = await this.#scrape(instance, seen);
        this.#onScrape(instance, samples);
        service.read(instance.id, samples && readTraffic(samples), this.#now());
      }),
    );
  }

  async #scrape(instance: Instance, seen: Set<string>): Promise<readonly Sample[] | undefined> {
    const port = Number(instance.metadata[metricsPortKey] ?? instance.port);
    const key = `${instance.address} ${port}`;
    seen.add(key);
    const call = Call.root(this.#runtime, this.#runtime.clock.nowMs() + scrapeMs);
    const limit = this.#runtime.timers.after(scrapeMs, () => call.cancel(tooSlow()));
    try {
      const result = await settle(
        this.#endpoint(key, instance.address, port).request,
        metricsRequest(key),
        call,
      );
      if (!result.ok || result.value.status !== 200) return undefined;
      const bytes = await result.value.body.bytes(longestMetricsBytes);
      return parseExposition(new TextDecoder().decode(bytes));
    } catch {
      return undefined;
    } finally {
      limit.cancel();
    }
  }

  #endpoint(key: string, host: string, port: number): Endpoint {
    let made = this.#endpoints.get(key);
    if (made === undefined) {
      made = endpoint({
        runtime: this.#runtime,
        address: { host, port },
        protocol: 'http1',
        limits: { connections: 1 },
      });
      this.#endpoints.set(key, made);
    }
    return made;
  }

  #forget(seen: ReadonlySet<string>): void {
    for (const [key, each] of this.#endpoints) {
      if (seen.has(key)) continue;
      each.close();
      this.#endpoints.delete(key);
    }
    for (const [name, service] of this.#services) if (service.forgotten) this.#services.delete(name);
  }

  #now(): Moment {
    const { clock } = this.#runtime;
    return { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
  }
}

function metricsRequest(authority: string): HttpRequest {
  return {
    method: 'GET',
    scheme: 'http',
    authority: authority.replace(' ', ':'),
    path: '/metrics',
    fields: new Fields(),
    body: emptyBody,
  };
}

function tooSlow(): HeddleError {
  const message = `no metrics within ${scrapeMs} ms`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'SCRAPE_TIMEOUT', message });
}
