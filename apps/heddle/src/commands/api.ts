import { nodeRuntime } from '@heddle/kernel/node';
import { call } from '../api/call-verb.ts';
import { key } from '../api/key-verb.ts';
import { makeVerbs } from '../api/make-verbs.ts';
import { readVerbs } from '../api/read-verbs.ts';
import type { ApiVerb } from '../api/api-asked.ts';
import { type Command, usageError } from '../command.ts';
import { apiUsage } from './api.usage.ts';

const verbs: Readonly<Record<string, ApiVerb>> = { ...readVerbs, call, ...makeVerbs, key };

/** `heddle api`: the catalogue of contracts, and what can be made of them. */
export const api: Command = {
  ...apiUsage,
  run: async (given, world) => {
    const [verb = '', ...words] = given.words;
    const action = verbs[verb];
    if (action === undefined)
      throw usageError(`"heddle api" needs one of ${Object.keys(verbs).join(', ')}; found "${verb}"`);
    return action({ runtime: nodeRuntime({ name: 'api', logLevel: 'error' }), words, given, world });
  },
};
