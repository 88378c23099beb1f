import { ConfigCentre, type ConfigStore, openConfigStore, RemoteStore } from '@heddle/config';
import type { Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { centreUrl } from '../config/centre-access.ts';
import { changeVerbs } from '../config/change-verbs.ts';
import type { ConfigChanger } from '../config/config-asked.ts';
import { readVerbs } from '../config/read-verbs.ts';
import { type Command, exitCodes, type Given, usageError } from '../command.ts';
import { readTextFile } from '../node/config-file.ts';
import { configUsage } from './config.usage.ts';

/** `heddle config`: looks at the config centre and changes it. */
export const config: Command = {
  ...configUsage,
  run: async (given, world) => {
    const [verb = '', ...words] = given.words;
    const action = readVerbs[verb] ?? changeVerbs[verb];
    const known = [...Object.keys(readVerbs), ...Object.keys(changeVerbs)];
    if (action === undefined)
      throw usageError(`"heddle config" needs one of ${known.join(', ')}; found "${verb}"`);
    const runtime = nodeRuntime({ name: 'config', logLevel: 'error' });
    const store = await openStore(given, runtime);
    try {
      await action({ runtime, store, changer: changerOf(store, runtime), words, given, world });
      return exitCodes.done;
    } finally {
      await store.close();
    }
  },
};

/** A centre in another process has schemas of its own, and changes there. */
function changerOf(store: ConfigStore, runtime: Runtime): ConfigChanger {
  return store instanceof RemoteStore ? store : new ConfigCentre({ runtime, store });
}

function openStore(given: Given, runtime: Runtime): Promise<ConfigStore> {
  const named = given.text('store');
  const { url, secret } =
    named === undefined ? centreUrl(given) : { url: named, secret: process.env['HEDDLE_CONFIG_TOKEN'] };
  return openConfigStore(url, {
    runtime,
    secret,
    readText: async (path) => readTextFile(path, 'file'),
    variable: (name) => process.env[name],
  });
}
