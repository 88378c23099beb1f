import { type Call, HeddleError, type Runtime, sleep } from '@heddle/kernel';
import { type Place, placeText } from '../place/place.ts';
import type { ConfigVersion } from '../version/version.ts';
import type { ConfigStore } from './config-store.ts';

/** How long a follower waits after its connection broke: twice as long each time, and less by chance. */
const [firstWaitMs, longestWaitMs] = [100, 5000];
const pageSize = 100;

/** Whom to tell of trouble, and that it is over. */
export interface FollowOptions {
  readonly runtime: Runtime;
  /** Each time that the connection breaks; undefined once it is there again. */
  readonly onState?: (error: HeddleError | undefined) => void;
}

/**
 * Every version of a place above `after`, in order and once each, whatever happens to the connection: what wakes us says
 * only that something may be new, and what is new is read from the log. Goes on until the call is cancelled, and rejects
 * with its reason.
 */
export async function* follow(
  store: ConfigStore,
  place: Place,
  after: number,
  call: Call,
  { runtime, onState = () => {} }: FollowOptions,
): AsyncGenerator<ConfigVersion, never> {
  let reached = after;
  for (let failures = 0; ; failures++) {
    const attempt = call.child();
    try {
      for await (const _ of store.wakes(place, attempt)) {
        for (;;) {
          const versions = await store.read(place, reached, pageSize);
          failures = 0;
          onState(undefined);
          for (const version of versions) {
            if (version.version !== reached + 1) throw gap(place, reached, version.version);
            reached = version.version;
            yield version;
          }
          if (versions.length < pageSize) break;
        }
      }
      throw ended(place);
    } catch (thrown) {
      call.throwIfCancelled();
      const error = HeddleError.from(thrown);
      onState(error);
      runtime.log('debug', 'a place of the configuration cannot be followed', {
        place: placeText(place),
        error: error.message,
      });
    } finally {
      attempt.end();
    }
    const mostMs = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(failures, 10));
    await sleep(runtime.timers, mostMs * runtime.random.float(), call);
  }
}

function gap(place: Place, reached: number, found: number): HeddleError {
  const message = `${placeText(place)}: expected version ${reached + 1} from the store, found ${found}`;
  return new HeddleError({ code: 'data_loss', reason: 'VERSION_MISSING', message });
}

function ended(place: Place): HeddleError {
  const message = `${placeText(place)}: the store ended what it should have gone on telling`;
  return new HeddleError({ code: 'unavailable', reason: 'WATCH_ENDED', message });
}
