// Nacos as its users have it: one entry for a place, that is overwritten, with no versions and no word on who was first.
import { type ConfigStore, type ConfigVersion, type Place, placeText } from '@heddle/config';
import { NacosClient } from '@heddle/discovery/clients';
import type { Address, Call } from '@heddle/kernel';
import { runtime } from '../messaging/databases.ts';

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
    const answer: object = await client.ask('ConfigQueryRequest', named(place));
    return JSON.parse((answer as { readonly content: string }).content) as ConfigVersion;
  };
  return {
    name: 'nacos-raw',
    head,
    read: async (place, after) => {
      const now = await head(place);
      return now !== undefined && now.version > after ? [now] : [];
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
