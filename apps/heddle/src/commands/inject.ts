import { type Command, usageError } from '../command.ts';
import { injectFiles } from '../inject/inject-files.ts';
import { serveWebhook } from '../inject/serve-webhook.ts';
import { injectUsage } from './inject.usage.ts';

const ofWebhook = ['port', 'host', 'tls-cert', 'tls-key', 'client-ca'];

/** `heddle inject`: manifests with sidecars, or the server that adds them in a cluster. */
export const inject: Command = {
  ...injectUsage,
  run: async (given, world) => {
    const isWebhook = given.flag('webhook');
    if (isWebhook && (given.words.length > 0 || given.flag('write') || given.text('namespace') !== undefined))
      throw usageError(
        '--webhook takes no files, no --write and no --namespace: the API server says what and where',
      );
    if (isWebhook) return serveWebhook(given, world);
    for (const name of ofWebhook)
      if (given.text(name) !== undefined) throw usageError(`--${name} is for --webhook alone`);
    if (given.flag('write') && given.words.includes('-'))
      throw usageError('--write cannot write into the input');
    await injectFiles(given, world.terminal);
    return 0;
  },
};
