import { type Call, HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import type { FeedState } from '../registry/state-feed.ts';
import { readLines } from './line-reader.ts';
import { decodeJson, silenceMs } from './protocol.ts';
import type { RegistryServers } from './registry-servers.ts';
import { ServiceView } from './service-view.ts';

const longestLineBytes = 64 * 1024 * 1024;

/** What is followed, and from where. */
export interface FollowRemoteOptions {
  readonly runtime: Runtime;
  readonly servers: RegistryServers;
  readonly service: string;
  readonly call: Call;
  /** What a watch before had reached: the server answers with what was missed, or with a snapshot. */
  readonly known: FeedState | undefined;
}

/** A `Follow` of a registry server: one stream, until it breaks, is silent for 15 s or has a wrong line. */
export async function* followRemote(options: FollowRemoteOptions): AsyncGenerator<FeedState, void> {
  const { runtime, servers, service, call, known } = options;
  const view = new ServiceView(service, known);
  const { body, asked } = await servers.stream({ method: 'GET', path: pathOf(service, known) }, call);
  let alarm: Timer | undefined;
  const expectMore = (): void => {
    alarm?.cancel();
    alarm = runtime.timers.after(silenceMs, () => call.cancel(silent()));
  };
  let left = true;
  try {
    expectMore();
    for await (const line of readLines(body, longestLineBytes)) {
      expectMore();
      applyTo(view, decodeJson(line), options);
      yield view.state;
    }
    throw ended();
  } catch (thrown) {
    left = false;
    const error = call.cancelled ?? HeddleError.from(thrown);
    // A stream that had begun tells on its server; one that had not, `RegistryServers` knows about.
    if (error.reason !== 'WATCH_ENDED' || call.cancelled === undefined) servers.moveOn(error, asked);
    throw error;
  } finally {
    alarm?.cancel();
    if (left) body.cancel();
  }
}

function applyTo(view: ServiceView, line: unknown, { runtime, servers, service }: FollowRemoteOptions): void {
  servers.checkTerm(line);
  const { refused } = view;
  view.apply(line);
  servers.noteAnswer();
  const count = view.refused - refused;
  if (count > 0) runtime.log('warn', 'the registry has entries that are no instances', { service, count });
}

function pathOf(service: string, known: FeedState | undefined): string {
  const path = `/v1/services/${encodeURIComponent(service)}/watch`;
  const position = known?.position;
  return position === undefined ? path : `${path}?term=${position.term}&revision=${position.revision}`;
}

function silent(): HeddleError {
  const message = `the registry has been silent for ${silenceMs} ms on a watch; the connection is taken for broken`;
  return new HeddleError({ code: 'unavailable', reason: 'WATCH_SILENT', message });
}

function ended(): HeddleError {
  const message = 'the registry ended the watch, as it does when it shuts down';
  return new HeddleError({ code: 'unavailable', reason: 'WATCH_ENDED', message });
}
