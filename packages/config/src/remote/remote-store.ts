import {
  type Answered,
  type Asked,
  authorityOf,
  decodeError,
  decodeJson,
  encodeJson,
  membersOf,
  overHttp2,
  readLines,
  ServerGroup,
} from '@heddle/discovery/clients';
import { type Address, type Call, HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import { type Body, type EndpointTls, Fields, type HttpRequest, wholeBody } from '@heddle/wire';
import type { ChangePlan, ChangeWords } from '../centre/config-centre.ts';
import { type Place, placeText, readPlace } from '../place/place.ts';
import type { ConfigStore } from '../store/config-store.ts';
import type { Change } from '../version/change.ts';
import { type ConfigVersion, versionOf } from '../version/version.ts';
import { largestPage, silenceMs } from './protocol.ts';

/** Where the centre is. */
export interface RemoteStoreOptions {
  readonly runtime: Runtime;
  /** Servers of one centre; the first that answers is used. */
  readonly addresses: readonly Address[];
  readonly token: string;
  /** How to speak TLS with them; undefined: plaintext. */
  readonly tls?: EndpointTls | undefined;
  /** Deadline of each request. Default 6000. */
  readonly timeoutMs?: number;
}

const longestAnswerBytes = 64 * 1024 * 1024;
/** Versions that a watch has brought and nobody has read yet, of one place. */
const mostWaiting = 20;

/** A centre that another process serves (`configService`). Changes go through its schemas: `change`, never `append`. */
export class RemoteStore implements ConfigStore {
  readonly name = 'remote';
  readonly #runtime: Runtime;
  readonly #token: string;
  readonly #scheme: 'http' | 'https';
  readonly #group: ServerGroup;
  /** By place: what the watches have brought. */
  readonly #brought = new Map<string, readonly ConfigVersion[]>();

  constructor({ runtime, addresses, token, tls, timeoutMs = 6000 }: RemoteStoreOptions) {
    this.#runtime = runtime;
    this.#scheme = tls === undefined ? 'http' : 'https';
    this.#token = token;
    this.#group = new ServerGroup({
      runtime,
      name: 'the config centre',
      addresses,
      timeoutMs,
      reach: overHttp2(runtime, tls),
    });
  }

  async head(place: Place): Promise<ConfigVersion | undefined> {
    const { version } = await this.#ask('GET', pathOf(place));
    return version === null ? undefined : this.#read(version);
  }

  async read(place: Place, after: number, limit: number): Promise<readonly ConfigVersion[]> {
    const brought = this.#brought.get(placeText(place)) ?? [];
    const at = brought.findIndex(({ version }) => version === after + 1);
    if (at !== -1) return brought.slice(at, at + limit);
    if (brought.at(-1)?.version === after) return [];
    const query = `after=${after}&limit=${Math.min(limit, largestPage)}`;
    const { versions } = await this.#ask('GET', `${pathOf(place)}/versions?${query}`);
    return Array.isArray(versions) ? versions.map((one) => this.#read(one)) : [];
  }

  append(): Promise<never> {
    const message = 'a centre in another process is changed by change(), which its schemas see';
    return Promise.reject(
      new HeddleError({ code: 'unimplemented', reason: 'USE_CHANGE', message, sent: false }),
    );
  }

  /** As `ConfigCentre.change`. A rollback names a version that the centre has. */
  async change(place: Place, change: Change, words: ChangeWords): Promise<ConfigVersion> {
    const { version } = await this.#ask('POST', pathOf(place), bodyOf(change, words, false));
    return this.#read(version);
  }

  /** As `ConfigCentre.plan`. */
  async plan(place: Place, change: Change, words: ChangeWords): Promise<ChangePlan> {
    const plan = await this.#ask('POST', pathOf(place), bodyOf(change, words, true));
    return { ...(plan as unknown as ChangePlan), version: this.#read(plan['version']) };
  }

  async places(): Promise<readonly Place[]> {
    const { places } = await this.#ask('GET', '/v1/config');
    return Array.isArray(places) ? places.map((text) => readPlace(String(text))) : [];
  }

  async *wakes(place: Place, call: Call): AsyncGenerator<void, void> {
    const text = placeText(place);
    // What is new is sent with the wake-up, and read from here.
    const after = this.#brought.get(text)?.at(-1)?.version ?? (await this.head(place))?.version ?? 0;
    const begin = async ({ response: { status, body } }: Answered): Promise<Body> => {
      if (status === 200) return body;
      throw decodeError(status, await body.bytes(longestAnswerBytes));
    };
    const path = `${pathOf(place)}/watch?after=${after}`;
    const { begun, asked } = await this.#group.open(
      (address) => this.#request(address, 'GET', path),
      call,
      begin,
    );
    yield* this.#lines(text, begun, asked, call);
  }

  async close(): Promise<void> {
    this.#group.close();
  }

  async *#lines(place: string, body: Body, asked: Asked, call: Call): AsyncGenerator<void, void> {
    let alarm: Timer | undefined;
    const expectMore = (): void => {
      alarm?.cancel();
      alarm = this.#runtime.timers.after(silenceMs, () => call.cancel(silent()));
    };
    let isFirst = true;
    try {
      expectMore();
      for await (const line of readLines(body, longestAnswerBytes)) {
        expectMore();
        this.#group.noteAnswer();
        const { version, alive } = membersOf(decodeJson(line));
        if (version !== undefined) this.#bring(place, this.#read(version));
        else if (alive === undefined) this.#brought.delete(place);
        if (isFirst || alive === undefined) yield;
        isFirst = false;
      }
    } catch (thrown) {
      const error = call.cancelled ?? HeddleError.from(thrown);
      if (error.code === 'unavailable') this.#group.moveOn(error, asked);
      throw error;
    } finally {
      alarm?.cancel();
      body.cancel();
    }
  }

  /** Several watches of one place bring the same. */
  #bring(place: string, version: ConfigVersion): void {
    const brought = this.#brought.get(place) ?? [];
    const last = brought.at(-1)?.version;
    if (last !== undefined && last >= version.version) return;
    const kept = last === version.version - 1 ? brought : [];
    this.#brought.set(place, [...kept, version].slice(-mostWaiting));
  }

  #read(json: unknown): ConfigVersion {
    try {
      return versionOf(json);
    } catch (thrown) {
      const message = `the config centre answered with something else than a version: ${HeddleError.from(thrown).message}`;
      throw new HeddleError({ code: 'data_loss', reason: 'BAD_VERSION', message, cause: thrown });
    }
  }

  #ask(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Readonly<Record<string, unknown>>> {
    return this.#group.ask(
      (address) => this.#request(address, method, path, body),
      async ({ response }) => {
        const bytes = await response.body.bytes(longestAnswerBytes);
        if (response.status !== 200) throw decodeError(response.status, bytes);
        return membersOf(decodeJson(bytes));
      },
    );
  }

  #request(address: Address, method: 'GET' | 'POST', path: string, body?: unknown): HttpRequest {
    const fields = Fields.of({ accept: 'application/json', authorization: `Bearer ${this.#token}` });
    if (body !== undefined) fields.append('content-type', 'application/json');
    const content = wholeBody(body === undefined ? new Uint8Array(0) : encodeJson(body));
    return { method, scheme: this.#scheme, authority: authorityOf(address), path, fields, body: content };
  }
}

function pathOf(place: Place): string {
  return `/v1/config/${placeText(place)}`;
}

function bodyOf(change: Change, words: ChangeWords, dryRun: boolean): unknown {
  const asked = change.action === 'rollback' ? { action: change.action, to: change.to.version } : change;
  return { ...asked, ...words, dryRun };
}

function silent(): HeddleError {
  const message = `the config centre has been silent for ${silenceMs} ms on a watch; the connection is taken for broken`;
  return new HeddleError({ code: 'unavailable', reason: 'WATCH_SILENT', message });
}
