import assert from 'node:assert/strict';
import { Call, HeddleError, type Runtime } from '@heddle/kernel';
import { until } from '@heddle/kernel/testing';
import type { Place } from '../place/place.ts';
import type { ConfigStore } from '../store/config-store.ts';
import { follow } from '../store/follow.ts';
import type { ConfigVersion } from '../version/version.ts';

/** A version for tests: who reads it can tell which one it is. Its time has no fractions of a second, as git has none. */
export function madeVersion(place: Place, version: number): ConfigVersion {
  return {
    place,
    version,
    author: 'tests',
    atMs: 1_700_000_000_000 + version * 1000,
    comment: `change ${version}`,
    action: 'publish',
    values: { number: version },
  };
}

/** Notes what a follower sees. */
export class Followed {
  readonly seen: number[] = [];
  readonly #runtime: Runtime;
  readonly #call: Call;
  readonly #done: Promise<unknown>;

  private constructor(runtime: Runtime, store: ConfigStore, place: Place) {
    this.#runtime = runtime;
    this.#call = Call.root(runtime);
    this.#done = this.#run(store, place).catch(() => {});
  }

  static begin(runtime: Runtime, store: ConfigStore, place: Place): Followed {
    return new Followed(runtime, store, place);
  }

  async reaches(version: number): Promise<void> {
    await until(
      this.#runtime,
      `version ${version} is seen`,
      60_000,
      () => (this.seen.at(-1) ?? 0) >= version,
    );
  }

  /** That each version up to `last` was seen once, in order. */
  assertWhole(last: number): void {
    assert.deepEqual(
      this.seen,
      Array.from({ length: last }, (_, at) => at + 1),
    );
  }

  async end(): Promise<void> {
    this.#call.cancel(new HeddleError({ code: 'cancelled', reason: 'TEST_ENDS', message: 'the test ends' }));
    await this.#done;
    this.#call.end();
  }

  async #run(store: ConfigStore, place: Place): Promise<void> {
    for await (const { version } of follow(store, place, 0, this.#call, { runtime: this.#runtime }))
      this.seen.push(version);
  }
}

export { until };
