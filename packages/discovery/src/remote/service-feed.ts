import { Call, HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import type { Snapshot } from '../registry/snapshot.ts';
import { Watcher } from '../registry/watcher.ts';
import { readLines } from './line-reader.ts';
import { decodeJson, silenceMs } from './protocol.ts';
import type { Asked, RegistryServers } from './registry-servers.ts';
import { ServiceView } from './service-view.ts';

const longestLineBytes = 64 * 1024 * 1024;
const firstBackoffMs = 200;
const longestBackoffMs = 3000;

/**
 * One service's watch of a registry server, for any number of readers in this process. It goes on for ever: whatever
 * breaks it (a lost connection, silence for 15 s, a wrong line), it asks again from the position it has reached, after
 * a back-off with full jitter, and the server answers with what was missed or with a snapshot.
 * One break is not told; when asking again fails too, what is known becomes `stale`.
 */
export class ServiceFeed {
  readonly #service: string;
  readonly #runtime: Runtime;
  readonly #servers: RegistryServers;
  readonly #watchers = new Set<Watcher<Snapshot>>();
  readonly #view: ServiceView;
  readonly #onIdle: () => void;
  #call: Call | undefined;
  #failures = 0;
  #heardAtMs = 0;
  #snapshot: Snapshot | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;

  /** Begins at once. `onIdle` is called when the last reader has left, and the feed has stopped for good. */
  constructor(service: string, runtime: Runtime, servers: RegistryServers, onIdle: () => void) {
    this.#service = service;
    this.#runtime = runtime;
    this.#servers = servers;
    this.#view = new ServiceView(service);
    this.#onIdle = onIdle;
    void this.#run();
  }

  watch(signal?: AbortSignal): Watcher<Snapshot> {
    const ended = (watcher: Watcher<Snapshot>): void => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.stop();
    };
    const watcher = new Watcher(() => this.#handOut(), ended, signal);
    if (signal?.aborted !== true) this.#watchers.add(watcher);
    else if (this.#watchers.size === 0) this.stop();
    return watcher;
  }

  /** Ends all readers. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const watcher of this.#watchers) watcher.end();
    this.#call?.cancel(
      new HeddleError({ code: 'cancelled', reason: 'WATCH_ENDED', message: 'nobody watches' }),
    );
    this.#wake?.();
    this.#onIdle();
  }

  #handOut(): Snapshot | undefined {
    const snapshot = this.#snapshot;
    if (snapshot === undefined || !snapshot.stale) return snapshot;
    return { ...snapshot, ageMs: this.#runtime.clock.nowMs() - this.#heardAtMs };
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const error = await this.#follow();
      if (this.#stopped) return;
      this.#failures += 1;
      const fields = { service: this.#service, reason: error.reason, error: error.message };
      if (this.#failures === 2) this.#runtime.log('warn', 'the registry cannot be watched', fields);
      if (this.#failures >= 2) this.#setStale(true);
      await this.#backOff();
    }
  }

  /** Reads one stream to its end, which is a failure however it comes: says which. */
  async #follow(): Promise<HeddleError> {
    const call = Call.root(this.#runtime);
    this.#call = call;
    let alarm: Timer | undefined;
    let from: Asked | undefined;
    const expectMore = (): void => {
      alarm?.cancel();
      alarm = this.#runtime.timers.after(silenceMs, () => call.cancel(silent()));
    };
    try {
      const { body, asked } = await this.#servers.stream({ method: 'GET', path: this.#path() }, call);
      from = asked;
      expectMore();
      for await (const line of readLines(body, longestLineBytes)) {
        expectMore();
        if (this.#stopped) break;
        this.#apply(decodeJson(line));
      }
      return this.#broke(call.cancelled ?? ended(), from);
    } catch (thrown) {
      return this.#broke(call.cancelled ?? HeddleError.from(thrown), from);
    } finally {
      alarm?.cancel();
      call.cancel(ended());
      call.end();
    }
  }

  /** A stream that had begun tells on its server; one that had not, `RegistryServers` knows about. */
  #broke(error: HeddleError, asked: Asked | undefined): HeddleError {
    if (asked !== undefined && !this.#stopped) this.#servers.moveOn(error, asked);
    return error;
  }

  #path(): string {
    const path = `/v1/services/${encodeURIComponent(this.#service)}/watch`;
    const { position } = this.#view;
    return position === undefined ? path : `${path}?term=${position.term}&revision=${position.revision}`;
  }

  #apply(line: unknown): void {
    this.#servers.checkTerm(line);
    const { refused } = this.#view;
    const isNews = this.#view.apply(line) === 'news';
    if (this.#view.refused > refused) {
      const count = this.#view.refused - refused;
      this.#runtime.log('warn', 'the registry has entries that are no instances', {
        service: this.#service,
        count,
      });
    }
    this.#failures = 0;
    this.#servers.noteAnswer();
    this.#heardAtMs = this.#runtime.clock.nowMs();
    if (isNews || this.#snapshot === undefined) this.#publish();
    else this.#setStale(false);
  }

  #publish(): void {
    const { position, instances } = this.#view;
    if (position === undefined) return;
    this.#snapshot = {
      service: this.#service,
      term: position.term,
      revision: position.revision,
      ageMs: 0,
      stale: false,
      source: 'registry',
      instances,
      heldBack: 0,
    };
    this.#tell();
  }

  #setStale(stale: boolean): void {
    if (this.#snapshot === undefined || this.#snapshot.stale === stale) return;
    const position = this.#view.position ?? this.#snapshot;
    this.#snapshot = { ...this.#snapshot, stale, term: position.term, revision: position.revision };
    this.#tell();
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher.poke();
  }

  #backOff(): Promise<void> {
    const { random, timers } = this.#runtime;
    const longestMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(this.#failures, 16));
    return new Promise((resolve) => {
      const timer = timers.after(longestMs * random.float(), resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}

function silent(): HeddleError {
  const message = `the registry has been silent for ${silenceMs} ms on a watch; the connection is taken for broken`;
  return new HeddleError({ code: 'unavailable', reason: 'WATCH_SILENT', message });
}

function ended(): HeddleError {
  const message = 'the registry ended the watch, as it does when it shuts down';
  return new HeddleError({ code: 'unavailable', reason: 'WATCH_ENDED', message });
}
