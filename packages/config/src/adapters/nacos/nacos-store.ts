import { Call, HeddleError, type Runtime, sleep, type Timer } from '@heddle/kernel';
import { isPlace, type Place, placeText, readPlace } from '../../place/place.ts';
import type { ConfigStore } from '../../store/config-store.ts';
import { toldWakes } from '../../store/told-wakes.ts';
import { versionConflict } from '../../store/version-conflict.ts';
import { type ConfigVersion, readVersion, versionText } from '../../version/version.ts';
import { NacosConfigClient, type NacosConfigReach } from './nacos-config-client.ts';

/** Where the store is in Nacos. */
export interface NacosStoreOptions extends NacosConfigReach {
  /** How often a follower looks without being woken: a writer can die before it has said that there is a version. Default 5000. */
  readonly lookMs?: number;
}

/** Versions that are asked for at a time. */
const atOnce = 16;
/** How often a writer looks whether what it has written can be read yet. */
const readableMs = 20;
const placesId = 'heddle.places';

/**
 * The config centre in Nacos (2.x, and 3.x, which speaks the same): an entry for each version, made once and never
 * changed, whose first line marks who made it; one that names the newest, to be listened to; one that lists the places. Nacos answers questions out of what
 * it has dumped from its database a moment ago, so a writer waits until its version can be read.
 */
export class NacosStore implements ConfigStore {
  readonly name = 'nacos';
  readonly #runtime: Runtime;
  readonly #client: NacosConfigClient;
  readonly #lookMs: number;
  readonly #timeoutMs: number;

  constructor({ lookMs = 5000, ...reach }: NacosStoreOptions) {
    this.#runtime = reach.runtime;
    this.#client = new NacosConfigClient(reach);
    this.#lookMs = lookMs;
    this.#timeoutMs = reach.timeoutMs ?? 6000;
  }

  async head(place: Place): Promise<ConfigVersion | undefined> {
    const named = Number((await this.#client.query(headId(place)))?.content ?? 0);
    let found = named === 0 ? undefined : await this.#version(place, named);
    // Whoever wrote the newest may not have said so yet, or died before.
    for (let number = named + 1; ; number++) {
      const next = await this.#version(place, number);
      if (next === undefined) return found;
      found = next;
    }
  }

  async read(place: Place, after: number, limit: number): Promise<readonly ConfigVersion[]> {
    const versions: ConfigVersion[] = [];
    while (versions.length < limit) {
      const first = after + versions.length + 1;
      // One first: mostly there is nothing new, or one.
      const count = Math.min(versions.length === 0 ? 1 : atOnce, limit - versions.length);
      const asked = Array.from({ length: count }, (_, at) => this.#version(place, first + at));
      const found = await Promise.all(asked);
      const until = found.indexOf(undefined);
      versions.push(...found.slice(0, until === -1 ? count : until).filter((one) => one !== undefined));
      if (until !== -1) break;
    }
    return versions;
  }

  async append(version: ConfigVersion): Promise<void> {
    const { place, version: number } = version;
    if (number > 1 && (await this.#client.query(versionId(place, number - 1))) === undefined)
      throw versionConflict(version);
    if (number === 1) await this.#addPlace(place);
    const id = versionId(place, number);
    // Of two that make an entry at once Nacos keeps one, and tells both that it did: each looks whose it is.
    const mark = this.#runtime.random.uuid();
    if (!(await this.#client.publishIf(id, `${mark}\n${versionText(version)}`, undefined)))
      throw versionConflict(version);
    const kept = await this.#readable(id);
    if (!kept.startsWith(`${mark}\n`)) throw versionConflict(version);
    await this.#client.publish(headId(place), String(number));
  }

  async places(): Promise<readonly Place[]> {
    const listed = (await this.#client.query(placesId))?.content.split('\n') ?? [];
    const places = [...new Set(listed)].filter(isPlace).toSorted().map(readPlace);
    // A place is listed just before its first version is made.
    const made = await Promise.all(places.map((place) => this.#client.query(versionId(place, 1))));
    return places.filter((_, at) => made[at] !== undefined);
  }

  wakes(place: Place, call: Call): AsyncIterable<void> {
    return toldWakes(call, ({ wake, fail }) => {
      let timer: Timer;
      let stop = (): void => {};
      let ended = false;
      const look = (): void => {
        timer = this.#runtime.timers.after(this.#lookMs, look);
        wake();
      };
      timer = this.#runtime.timers.after(this.#lookMs, look);
      const changed = (): void => {
        wake();
        // What came is told once only.
        void listen().catch((thrown: unknown) => fail(HeddleError.from(thrown)));
      };
      const listen = async (): Promise<void> => {
        const md5 = (await this.#client.query(headId(place)))?.md5 ?? '';
        if (ended) return;
        stop();
        stop = await this.#client.listen(headId(place), md5, { changed, lost: fail });
        if (ended) stop();
        else wake();
      };
      listen().catch((thrown: unknown) => fail(HeddleError.from(thrown)));
      return () => {
        ended = true;
        timer.cancel();
        stop();
      };
    });
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #version(place: Place, number: number): Promise<ConfigVersion | undefined> {
    const id = versionId(place, number);
    const entry = await this.#client.query(id);
    return entry && readVersion(entry.content.slice(entry.content.indexOf('\n') + 1), `Nacos, ${id}`);
  }

  /** What an entry holds, once it can be read. */
  async #readable(id: string): Promise<string> {
    const { clock, timers } = this.#runtime;
    const untilMs = clock.nowMs() + this.#timeoutMs;
    const call = Call.root(this.#runtime);
    try {
      for (;;) {
        const entry = await this.#client.query(id);
        if (entry !== undefined) return entry.content;
        if (clock.nowMs() > untilMs) throw notReadable(id, this.#timeoutMs);
        await sleep(timers, readableMs, call);
      }
    } finally {
      call.end();
    }
  }

  async #addPlace(place: Place): Promise<void> {
    for (let tries = 0; tries < 50; tries++) {
      const entry = await this.#client.query(placesId);
      const listed = entry?.content.split('\n') ?? [];
      if (listed.includes(placeText(place))) return;
      const content = [...listed, placeText(place)].join('\n');
      const isDone = await this.#client.publishIf(placesId, content, entry?.md5);
      // What another one wrote meanwhile may have taken its place: then it is tried again.
      if (isDone && (await this.#readable(placesId)).split('\n').includes(placeText(place))) return;
      const call = Call.root(this.#runtime);
      await sleep(this.#runtime.timers, readableMs * (1 + this.#runtime.random.float()), call);
      call.end();
    }
    throw busy();
  }
}

function headId(place: Place): string {
  return `${idOf(place)}.head`;
}

function versionId(place: Place, version: number): string {
  return `${idOf(place)}.${version}`;
}

/** Slashes are not allowed in Nacos' names, and dots not in places'. */
function idOf(place: Place): string {
  return placeText(place).replaceAll('/', '.');
}

function notReadable(id: string, timeoutMs: number): HeddleError {
  const message = `Nacos has taken ${id}, and did not give it back within ${timeoutMs} ms`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'NOT_READABLE', message });
}

function busy(): HeddleError {
  const message = 'the list of places in Nacos is being changed by others all the time';
  return new HeddleError({ code: 'aborted', reason: 'TOO_BUSY', message });
}
