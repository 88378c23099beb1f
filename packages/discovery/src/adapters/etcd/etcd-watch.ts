import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Call, HeddleError, type Runtime, sleep, type Timer } from '@heddle/kernel';
import type { WatchRequestSchema, WatchResponse } from '../../gen/etcd/rpc_pb.ts';
import type { EtcdClient } from './etcd-client.ts';
import type { EtcdRange } from './etcd-keys.ts';

/** How often the server is asked for a sign of life on a watch. */
const progressEveryMs = 5000;
const silenceMs = 3 * progressEveryMs;

/**
 * The answers of one watch stream from a revision on (0: from now), until it breaks or is silent for 15 s. The first says
 * that it was `created`.
 */
export async function* etcdWatch(
  runtime: Runtime,
  client: EtcdClient,
  range: EtcdRange,
  startRevision: bigint,
  call: Call,
): AsyncGenerator<WatchResponse, void> {
  const requests = (): ReturnType<typeof watchRequests> =>
    watchRequests(runtime, { ...range, startRevision }, call);
  const { messages, asked } = await client.watch(requests, call);
  let alarm: Timer | undefined;
  const expectMore = (): void => {
    alarm?.cancel();
    alarm = runtime.timers.after(silenceMs, () => call.cancel(silent()));
  };
  try {
    expectMore();
    for await (const answer of messages) {
      expectMore();
      client.check(answer, asked);
      if (answer.canceled) throw cancelled(answer);
      client.group.noteAnswer();
      yield answer;
    }
  } catch (thrown) {
    const error = call.cancelled ?? HeddleError.from(thrown);
    if (error.code === 'unavailable') client.group.moveOn(error, asked);
    throw error;
  } finally {
    alarm?.cancel();
  }
}

async function* watchRequests(
  runtime: Runtime,
  create: EtcdRange & { readonly startRevision: bigint },
  call: Call,
): AsyncGenerator<MessageInitShape<typeof WatchRequestSchema>, void> {
  yield { requestUnion: { case: 'createRequest', value: create } };
  for (;;) {
    await sleep(runtime.timers, progressEveryMs, call);
    yield { requestUnion: { case: 'progressRequest', value: {} } };
  }
}

function cancelled({ compactRevision, cancelReason }: WatchResponse): HeddleError {
  if (compactRevision > 0n) {
    const message = `etcd has compacted the revision that a watch was to go on from (it has ${compactRevision} and on); the entries are read anew`;
    return new HeddleError({ code: 'out_of_range', reason: 'COMPACTED', message });
  }
  const message = `etcd ended the watch: ${cancelReason}`;
  return new HeddleError({ code: 'unavailable', reason: 'WATCH_ENDED', message });
}

function silent(): HeddleError {
  const message = `etcd has been silent for ${silenceMs} ms on a watch; the connection is taken for broken`;
  return new HeddleError({ code: 'unavailable', reason: 'WATCH_SILENT', message });
}
