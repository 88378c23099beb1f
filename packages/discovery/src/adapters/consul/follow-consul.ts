import { type Call, type Runtime, sleep } from '@heddle/kernel';
import type { History } from '../../registry/history.ts';
import type { FeedState } from '../../registry/state-feed.ts';
import type { ConsulClient, ConsulQuestion } from './consul-client.ts';
import type { LastReadings } from '../../registry/last-readings.ts';
import type { ConsulEntries } from './consul-entry.ts';

/** What is read, and with what. */
export interface ConsulReading {
  readonly runtime: Runtime;
  readonly client: ConsulClient;
  readonly history: History;
  readonly readings: LastReadings<ConsulEntries>;
}

/** For how long a question waits for news; Consul adds up to a sixteenth. */
const waitMs = 30_000;
// An agent that answers at once though nothing is new must not be asked in a loop.
const leastMs = 50;

/** Asks once for a service's entries. */
export async function findConsul(reading: ConsulReading, service: string): Promise<FeedState> {
  const { client, history } = reading;
  const { text, index } = await client.entries(service);
  return { instances: instancesIn(reading, service, text), position: history.at(index) };
}

/**
 * A `Follow` of Consul, by blocking queries: each asks for what is newer than an index, and waits for it. An index
 * that goes back, or that is the same with other content, is of a Consul that begins anew.
 */
export async function* followConsul(
  reading: ConsulReading,
  service: string,
  call: Call,
  known: FeedState | undefined,
): AsyncGenerator<FeedState, void> {
  const { runtime, client, history } = reading;
  let index = 0;
  let reached = known?.position?.term === history.now.term ? known.position.revision : 0;
  let text: string | undefined;
  let state: FeedState | undefined;
  for (;;) {
    call.throwIfCancelled();
    const askedMs = runtime.clock.nowMs();
    const answer = await client.entries(service, waitingFrom(index, client.timeoutMs), call);
    if (answer.index < reached || (reached > 0 && answer.index === reached && answer.text !== text))
      history.beginAnew();
    if (state === undefined || answer.text !== text)
      state = { instances: instancesIn(reading, service, answer.text), position: history.at(answer.index) };
    yield state;
    const isIdle = answer.index === index && runtime.clock.nowMs() - askedMs < leastMs;
    text = answer.text;
    reached = answer.index;
    // Nothing must be waited for from an index that has gone back, nor from 0, which never waits.
    index = answer.index < index ? 0 : Math.max(1, answer.index);
    if (isIdle) await sleep(runtime.timers, leastMs, call);
  }
}

function waitingFrom(index: number, timeoutMs: number): Partial<ConsulQuestion> {
  if (index === 0) return {};
  const query = { index: String(index), wait: `${waitMs}ms` };
  return { query, timeoutMs: waitMs + waitMs / 16 + timeoutMs };
}

function instancesIn(
  { runtime, readings }: ConsulReading,
  service: string,
  text: string,
): FeedState['instances'] {
  const { instances, refused } = readings.read(service, text);
  if (refused > 0)
    runtime.log('warn', 'Consul has entries that are no instances', { service, count: refused });
  return instances;
}
