// Nacos as its users have it: one entry for a place, that is overwritten, with no versions and no word on who was first.
import { type ConfigStore, type ConfigVersion, type Place, placeText } from '@heddle/config';
import { NacosClient } from '@heddle/discovery/clients';
import { type Address, type Call, HeddleError, sleep } from '@heddle/kernel';
import { runtime } from '../messaging/databases.ts';

// What Nacos says of an entry that is not there, and of one that is being written.
const isAbsent = /\(error 300\)/;
const isBeingWritten = /\(error 400\)/;

/** A store as far as the bench needs one: what was published before is gone. */
export function nacosRaw(address: Address): ConfigStore {
  const client = new NacosClient(runtime, { addresses: [address] }, () => {});
  const nameOf = (place: Place): string => placeText(place).replaceAll('/', ':');
  const named = (place: Place): object => ({
    module: 'config',
    dataId: nameOf(place),
    group: client.group,
    tenant: client.namespace,
  });
  const head = async (place: Place): Promise<ConfigVersion | undefined> => {
    for (;;) {
      try {
        const answer: object = await client.ask('ConfigQueryRequest', named(place));
        return JSON.parse((answer as { readonly content: string }).content) as ConfigVersion;
      } catch (thrown) {
        const { message } = HeddleError.from(thrown);
        if (isAbsent.test(message)) return undefined;
        if (!isBeingWritten.test(message)) throw thrown;
        await sleep(runtime.timers, 5);
      }
    }
  };
  return {
    name: 'nacos-raw',
    head,
    // Who was away sees the newest alone: with it, he has the changes before.
    read: async (place, after) => {
      const now = await head(place);
      const missed = Math.max(0, (now?.version ?? 0) - after);
      return Array.from({ length: missed }, (_, at) => ({
        ...(now as ConfigVersion),
        version: after + 1 + at,
      }));
    },
    append: async (version) => {
      await client.ask('ConfigPublishRequest', { ...named(version.place), content: JSON.stringify(version) });
    },
    places: () => Promise.resolve([]),
    wakes: (place, call) => pushes(client, nameOf(place), named(place), call),
    close: () => Promise.resolve(client.close()),
  };
}

async function* pushes(
  client: NacosClient,
  name: string,
  named: object,
  call: Call,
): AsyncGenerator<void, never> {
  let isNew = true;
  let resume = (): void => {};
  const wake = (): void => {
    isNew = true;
    resume();
  };
  const stop = client.onPush({ pushed: ({ json }) => json['dataId'] === name && wake(), lost: wake });
  const cancelled = call.onCancel(wake);
  try {
    const configListenContexts = [{ ...named, md5: '' }];
    await client.ask('ConfigBatchListenRequest', { module: 'config', listen: true, configListenContexts });
    for (;;) {
      call.throwIfCancelled();
      if (isNew) {
        isNew = false;
        yield;
      } else await new Promise<void>((resolve) => (resume = resolve));
    }
  } finally {
    cancelled();
    stop();
  }
}
