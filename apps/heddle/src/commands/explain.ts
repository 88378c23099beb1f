import type { Instance } from '@heddle/discovery';
import { Call, HeddleError, type Runtime, settle } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import type { DecisionRecord, Stacks } from '@heddle/upstream';
import { emptyBody, endpoint, Fields } from '@heddle/wire';
import { type Command, usageError } from '../command.ts';
import { layersText, recordsText } from '../explain/record-text.ts';
import { readUpState } from '../node/data-folder.ts';
import { controlPlaneRegistry, readAddress, readPlanePlace } from '../registry-access.ts';

const longestAnswerBytes = 16_777_216;
const askMs = 3000;

/** `heddle explain`. */
export const explain: Command = {
  name: 'explain',
  summary: 'Say why a call went where it went and what became of it, or which layers calls pass',
  words: '<trace or correlation id> | failures | layers [service]',
  options: {
    json: { type: 'boolean', help: 'As JSON' },
    data: {
      type: 'string',
      value: 'DIR',
      help: 'The data folder of the running "heddle up"; default .heddle',
    },
    registry: {
      type: 'string',
      value: 'HOST:PORT',
      help: 'Another control plane; tokens in HEDDLE_REGISTRY_TOKEN and HEDDLE_ADMIN_TOKEN',
    },
  },
  examples: [
    'heddle explain 0af7651916cd43dd8448eb211c80319c',
    'heddle explain failures',
    'heddle explain layers order',
  ],
  run: async (given, world) => {
    const [what, service, ...rest] = given.words;
    if (what === undefined || rest.length > 0 || (service !== undefined && what !== 'layers'))
      throw usageError('"heddle explain" needs an id, "failures", or "layers" and perhaps a service');
    const runtime = nodeRuntime({ name: 'explain', logLevel: 'error' });
    const { registry, token } = openSystem(given.text('registry'), given.text('data'), runtime);
    const { out } = world.terminal;
    try {
      const names = service === undefined ? await registry.services() : [service];
      const snapshots = await Promise.all(names.map((name) => registry.instances(name)));
      const able = snapshots
        .flatMap(({ instances }) => instances)
        .filter(({ metadata }) => metadata['admin'] !== undefined);
      if (able.length === 0) throw nobodyToAsk(service);
      if (what === 'layers') {
        const stacks = await stacksOf(able, token, runtime);
        out(given.flag('json') ? json(stacks) : layersText(stacks));
        return 0;
      }
      const query = what === 'failures' ? 'failed=1&limit=20' : `id=${encodeURIComponent(what)}`;
      const answers = await Promise.all(
        able.map((each) => ask<DecisionRecord[]>(each, `/explain?${query}`, token, runtime)),
      );
      const records = answers.flat().toSorted((a, b) => (a.at < b.at ? -1 : 1));
      if (records.length === 0) throw noRecords(what, able.length);
      out(given.flag('json') ? json(records) : recordsText(records));
      return 0;
    } finally {
      await registry.close();
    }
  },
};

/** The stacks of one instance for each service: its other instances run the same code. */
async function stacksOf(
  instances: readonly Instance[],
  token: string,
  runtime: Runtime,
): Promise<Record<string, Stacks>> {
  const first = new Map(instances.map((each) => [each.service, each]));
  const entries = [...first].map(async ([name, each]): Promise<[string, Stacks]> => {
    return [name, await ask<Stacks>(each, '/explain/layers', token, runtime)];
  });
  return Object.fromEntries(await Promise.all(entries));
}

function openSystem(
  registry: string | undefined,
  data: string | undefined,
  runtime: Runtime,
): { readonly registry: ReturnType<typeof controlPlaneRegistry>; readonly token: string } {
  if (registry !== undefined) {
    const place = readPlanePlace(registry, '--registry');
    const token = process.env['HEDDLE_ADMIN_TOKEN'] ?? '';
    if (token === '') throw usageError('with --registry, HEDDLE_ADMIN_TOKEN must hold the admin token');
    return { registry: controlPlaneRegistry(place, runtime), token };
  }
  const state = readUpState(data ?? '.heddle');
  const place = readPlanePlace(state.console, '--data');
  return { registry: controlPlaneRegistry(place, runtime, state.token), token: state.adminToken };
}

/** An answer of a process; one that cannot be asked has none to give, and is passed over with a word. */
async function ask<T>(instance: Instance, path: string, token: string, runtime: Runtime): Promise<T> {
  const admin = instance.metadata['admin'] ?? '';
  const way = endpoint({ runtime, address: readAddress(admin, 'the admin address'), protocol: 'http1' });
  const call = Call.root(runtime, runtime.clock.nowMs() + askMs);
  const limit = runtime.timers.after(askMs, () => call.cancel(tooSlow(instance)));
  try {
    const fields = Fields.of({ authorization: `Bearer ${token}` });
    const request = {
      method: 'GET',
      scheme: 'http',
      authority: admin,
      path,
      fields,
      body: emptyBody,
    } as const;
    const result = await settle(way.request, request, call);
    if (!result.ok) throw result.error;
    const text = new TextDecoder().decode(await result.value.body.bytes(longestAnswerBytes));
    if (result.value.status === 200) return JSON.parse(text) as T;
    const message = `${instance.id} answered ${result.value.status}: ${text.slice(0, 200)}`;
    throw new HeddleError({ code: 'failed_precondition', reason: 'EXPLAIN_REFUSED', message });
  } finally {
    limit.cancel();
    way.close();
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function tooSlow({ id }: Instance): HeddleError {
  const message = `${id} did not say what it knows within ${askMs} ms`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'EXPLAIN_TIMEOUT', message });
}

function nobodyToAsk(service: string | undefined): HeddleError {
  const of = service === undefined ? '' : ` of "${service}"`;
  const message = `there is no running instance${of} that can be asked; "heddle ls instances" shows what there is`;
  return new HeddleError({ code: 'not_found', reason: 'NO_INSTANCES', message, sent: false });
}

function noRecords(what: string, asked: number): HeddleError {
  const message =
    what === 'failures'
      ? `none of the ${asked} processes that were asked remembers a failed call`
      : `none of the ${asked} processes that were asked has a record of ${what}: records are kept of calls that failed or were tried again, and of one in a hundred others, until newer ones take their place`;
  return new HeddleError({ code: 'not_found', reason: 'NO_RECORDS', message, sent: false });
}
