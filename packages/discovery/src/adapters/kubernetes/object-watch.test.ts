// What an API server may do to a watch, on the wire in virtual time: what Kubernetes documents as its "watch" protocol.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, type HeddleError } from '@heddle/kernel';
import { Fields, type HttpService, serve, streamBody, wholeBody } from '@heddle/wire';
import { Fleet } from '../../testing/fleet.ts';
import { KubernetesClient } from './kubernetes-client.ts';
import { watchObjects } from './object-watch.ts';

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const object = (name: string, resourceVersion: string): object => ({
  metadata: { name, uid: 'u', resourceVersion },
});
const event = (type: string, of: object): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify({ type, object: of })}\n`);

/** A server that answers each list and each watch as the next of these says; after the last it is silent. */
async function watching(
  lists: readonly (readonly string[])[],
  watches: readonly (readonly Uint8Array[])[],
): Promise<{ seen: string[]; asked: string[]; error: () => HeddleError | undefined; fleet: Fleet }> {
  const fleet = new Fleet();
  const [seen, asked]: [string[], string[]] = [[], []];
  let [listed, watched] = [0, 0];
  const service: HttpService = async ({ path }) => {
    const query = new URLSearchParams(path.split('?')[1]);
    const head = { status: 200, fields: Fields.of({}) };
    if (query.get('watch') === null) {
      const items = (lists[listed++] ?? []).map((name) => object(name, '1'));
      return { ...head, body: wholeBody(bytes({ metadata: { resourceVersion: `list-${listed}` }, items })) };
    }
    asked.push(query.get('resourceVersion') ?? '');
    const events = watches[watched++];
    return {
      ...head,
      body: streamBody(
        (async function* () {
          yield* events ?? [];
          if (events === undefined) await new Promise(() => {});
        })(),
      ),
    };
  };
  const server = fleet.start('api');
  await fleet.time.run(
    serve(service, { runtime: server, address: { host: 'api', port: 80 } }).then(() => {}),
  );
  const runtime = fleet.start('client');
  const address = { host: 'api', port: 80 };
  const access = { address, tls: undefined, token: () => Promise.resolve(undefined), namespace: 'n' };
  const client = new KubernetesClient({ runtime, access, timeoutMs: 1000 });
  let failure: HeddleError | undefined;
  const listener = {
    listed: (all: readonly { metadata: { name: string } }[]) =>
      void seen.push(`list ${all.map(({ metadata }) => metadata.name).join()}`),
    put: ({ metadata }: { metadata: { name: string } }) => void seen.push(`put ${metadata.name}`),
    removed: (name: string) => void seen.push(`removed ${name}`),
  };
  const selection = { path: '/things', labels: 'a=b' };
  watchObjects({ runtime, client, selection, listener }, Call.root(runtime)).catch((error: HeddleError) => {
    failure = error;
  });
  return { seen, asked, error: () => failure, fleet };
}

test('a watch that the server ends goes on from the last version, which bookmarks keep new', async () => {
  const { seen, asked, fleet } = await watching(
    [['a']],
    [
      [event('ADDED', object('b', '5')), event('BOOKMARK', object('', '9'))],
      [event('DELETED', object('a', '11'))],
    ],
  );
  await fleet.time.advance(100);
  assert.deepEqual(seen, ['list a', 'put b', 'removed a']);
  assert.deepEqual(asked, ['list-1', '9', '11']);
});

test('a version that the server has forgotten (410) means a new list, and no failure', async () => {
  const gone = event('ERROR', {
    kind: 'Status',
    code: 410,
    reason: 'Expired',
    message: 'too old resource version',
  });
  const { seen, asked, error, fleet } = await watching([['a'], ['b']], [[gone]]);
  await fleet.time.advance(100);
  assert.deepEqual(seen, ['list a', 'list b']);
  assert.deepEqual(asked, ['list-1', 'list-2']);
  assert.equal(error(), undefined);
});

test('another error of the server, and silence for longer than a watch lasts, are failures', async () => {
  const broken = event('ERROR', { kind: 'Status', code: 500, message: 'etcd is away' });
  const { error, fleet } = await watching([['a']], [[broken]]);
  await fleet.time.advance(100);
  assert.match(error()?.message ?? '', /etcd is away/);
  const silent = await watching([['a']], []);
  await silent.fleet.time.advance(34_000);
  assert.equal(silent.error(), undefined);
  await silent.fleet.time.advance(2000);
  assert.equal(silent.error()?.reason, 'WATCH_SILENT');
});
