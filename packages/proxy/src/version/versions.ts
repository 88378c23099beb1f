import { type Clock, HeddleError } from '@heddle/kernel';
import {
  type ConfigDocument,
  fileProblem,
  type GatewayConfig,
  loadGatewayDocuments,
} from '../model/gateway-config.ts';
import type { CheckPolicies } from '../model/istio/policy.ts';
import { type Change, diffConfigs } from './diff.ts';
import { keepGoodRoutes } from './keep-good-routes.ts';

/** A configuration that has been served. */
export interface Version {
  /** From 1, one more for each that is applied, also by going back. */
  readonly id: number;
  /** When it was applied, in milliseconds since 1970. */
  readonly atMs: number;
  /** Who or what asked for it, for people: `start`, `file`, `SIGHUP`, `admin`, `rollback to 3`. */
  readonly why: string;
  readonly documents: readonly ConfigDocument[];
  readonly config: GatewayConfig;
  /** Files that could not be read, and go on with what they held before. */
  readonly kept: readonly { readonly source: string; readonly error: HeddleError }[];
}

/** An attempt that changed nothing. */
export interface Refusal {
  readonly atMs: number;
  readonly why: string;
  readonly error: HeddleError;
}

/** What `GatewayVersions` is made from. */
export interface GatewayVersionsOptions {
  readonly clock: Clock;
  /** Has the configuration served from now on. Rejects if it cannot be; what was served then goes on. */
  readonly apply: (config: GatewayConfig) => void | Promise<void>;
  /** Reads policies of Istio. Default: they are a mistake. */
  readonly policies?: CheckPolicies;
  /** Versions to remember, and refusals. Default 50. */
  readonly keep?: number;
}

/**
 * What has been served, one version after the other. A configuration that cannot be loaded never takes the place of one
 * that can: routes with mistakes go on as they were or are refused alone, a file of several that cannot be read goes on
 * with what it held, all else leaves everything as it is. Changes are applied one at a time, in the order of the calls.
 */
export class GatewayVersions {
  readonly #options: GatewayVersionsOptions;
  readonly #keep: number;
  readonly #versions: Version[] = [];
  readonly #refusals: Refusal[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  /** The documents that the current version came of, before any was kept; undefined after a rollback. */
  #given: readonly ConfigDocument[] | undefined;
  #lastId = 0;

  constructor(options: GatewayVersionsOptions) {
    this.#options = options;
    this.#keep = options.keep ?? 50;
  }

  /** What is served; undefined before the first `apply`. */
  get current(): Version | undefined {
    return this.#versions.at(-1);
  }

  /** What is remembered, the oldest first. */
  get all(): readonly Version[] {
    return this.#versions;
  }

  /** Attempts that changed nothing, the oldest first. */
  get refusals(): readonly Refusal[] {
    return this.#refusals;
  }

  /**
   * Serves the documents from now on; gives the current version where they are the same as before. Rejects with
   * `BAD_CONFIG`, or with what serving it failed with, and nothing has changed then.
   */
  apply(documents: readonly ConfigDocument[], why: string): Promise<Version> {
    return this.#inTurn(why, async () => {
      const before = this.current;
      if (before !== undefined && this.#given !== undefined && isSame(this.#given, documents)) return before;
      const { policies } = this.#options;
      const { effective, kept } = withKeptFiles(documents, before?.documents ?? [], policies);
      const config = keepGoodRoutes(loadGatewayDocuments(effective, policies), before?.config);
      const version = await this.#serve({ why, documents: effective, config, kept });
      this.#given = documents;
      return version;
    });
  }

  /** Serves what a version served. Rejects with `not_found` / `NO_VERSION`. */
  rollback(id: number): Promise<Version> {
    const why = `rollback to ${id}`;
    return this.#inTurn(why, async () => {
      const { documents, config } = this.get(id);
      const version = await this.#serve({ why, documents, config, kept: [] });
      this.#given = undefined;
      return version;
    });
  }

  /** Throws `not_found` / `NO_VERSION` for one that was never there or is forgotten. */
  get(id: number): Version {
    const found = this.#versions.find((version) => version.id === id);
    if (found !== undefined) return found;
    const known = this.#versions.map((version) => version.id);
    const message = `there is no version ${id}; remembered are ${known[0] ?? 'none'} to ${known.at(-1) ?? 'none'}`;
    throw new HeddleError({ code: 'not_found', reason: 'NO_VERSION', message, sent: false });
  }

  /** What a change from one version to another changes. Throws as `get`. */
  diff(from: number, to: number): Change[] {
    return diffConfigs(this.get(from).config, this.get(to).config);
  }

  async #serve(made: Pick<Version, 'why' | 'documents' | 'config' | 'kept'>): Promise<Version> {
    await this.#options.apply(made.config);
    this.#lastId += 1;
    const version = { ...made, id: this.#lastId, atMs: this.#options.clock.wallMs() };
    this.#versions.push(version);
    if (this.#versions.length > this.#keep) this.#versions.shift();
    return version;
  }

  #inTurn(why: string, change: () => Promise<Version>): Promise<Version> {
    const done = this.#turn.then(change).catch((thrown: unknown) => {
      const error = HeddleError.from(thrown);
      this.#refusals.push({ atMs: this.#options.clock.wallMs(), why, error });
      if (this.#refusals.length > this.#keep) this.#refusals.shift();
      throw error;
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

function isSame(a: readonly ConfigDocument[], b: readonly ConfigDocument[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ source, content }, at) => source === b[at]?.source && content === b[at].content)
  );
}

/** Of several files, one that cannot be read by itself is taken as it was before, if it was there. */
function withKeptFiles(
  documents: readonly ConfigDocument[],
  before: readonly ConfigDocument[],
  policies: CheckPolicies | undefined,
): { effective: readonly ConfigDocument[]; kept: Version['kept'] } {
  const kept: { source: string; error: HeddleError }[] = [];
  if (documents.length < 2) return { effective: documents, kept };
  const effective = documents.map((document) => {
    const old = before.find(({ source }) => source === document.source);
    if (old === undefined || old.content === document.content) return document;
    const error = fileProblem(document, documents, policies);
    if (error === undefined) return document;
    kept.push({ source: document.source, error });
    return old;
  });
  return { effective, kept };
}
