import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import {
  type Contract,
  contractAnswer,
  contractKey,
  contractPath,
  messageContract,
  mockService,
  type BrokenConsumer,
} from '@heddle/api';
import { type Instance, type Registry, remoteRegistry } from '@heddle/discovery';
import { type EmbeddedRegistry, embeddedRegistry, registryService } from '@heddle/discovery/embedded';
import type { Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { httpServer, type ServerPart } from '@heddle/rpc';
import { expose, MetricRegistry, type TelemetryReader } from '@heddle/telemetry';
import { ApiAdmission } from './api-admission.ts';
import { ApiCatalogue } from './api-catalogue.ts';
import { consumersOf } from './api-consumers.ts';
import { ApiJudge } from './api-judge.ts';

const token = 'token-of-the-admission-test';
const folder = mkdtempSync(path.join(tmpdir(), 'heddle-admission-'));
const node = nodeRuntime({ name: 'control-plane', logLevel: 'error', dataFolder: folder });
// What is looked at every five seconds is looked at at once here.
const { timers } = node;
const after5s: Runtime['timers']['after'] = (ms, task) => timers.after(ms === 5000 ? 20 : ms, task);
let diskFull = false;
const runtime: Runtime = {
  ...node,
  timers: { after: after5s, soon: (task) => timers.soon(task) },
  disk: {
    ...diskOf(node),
    replace: (at, bytes) =>
      diskFull ? Promise.reject(new Error('no space left')) : node.disk.replace(at, bytes),
  },
};
const nobodyCalled = { search: () => Promise.resolve([]) } as unknown as TelemetryReader;
const metrics = new MetricRegistry();
const servers: ServerPart[] = [];
let onUndecided: 'admit' | 'quarantine' = 'admit';
let catalogue: ApiCatalogue;
let admission: ApiAdmission;
let own: EmbeddedRegistry;
let registry: Registry;

before(async () => {
  own = await embeddedRegistry(runtime);
  catalogue = await ApiCatalogue.open({
    runtime,
    usesOf: consumersOf({
      clock: runtime.clock,
      telemetry: nobodyCalled,
      entries: () => catalogue.entries,
      days: () => 7,
    }),
    onBreaking: () => 'quarantine',
  });
  const judge = new ApiJudge({
    runtime,
    catalogue,
    contractMs: () => 2000,
    onUndecided: () => onUndecided,
    metrics,
  });
  admission = new ApiAdmission({ runtime, registry: own, judge });
  await admission.start();
  const server = await started(admission.before(registryService(own, { token })));
  registry = remoteRegistry({ runtime, addresses: [server.address], token });
});
after(async () => {
  await registry.close();
  await admission.stop();
  await own.close();
  for (const server of servers.toReversed()) {
    await server.drain();
    await server.stop();
  }
  rmSync(folder, { recursive: true, force: true });
});

describe('registrations', { timeout: 60_000 }, () => {
  test('a deployment that takes a field off its messages is kept out, and names who takes them', async () => {
    await registers('mailer', { consumes: [{ service: 'order' }] });
    assert.equal((await registers('order', orders('id', 'total'))).state, 'running');
    const kept = await registers('order', orders('id'));
    assert.equal(kept.state, 'maintenance');
    assert.deepEqual(brokenBy('order', kept), [{ service: 'mailer', operations: [], known: 'declared' }]);
  });

  test('a deployment that loses a gRPC method is kept out by what its server reflects, and names who calls it', async () => {
    await registers('cart', { consumes: [{ service: 'stock', operations: [`${stockService}/Get`] }] });
    await registers('blog', { consumes: [{ service: 'stock', operations: ['other.v1.Other/Get'] }] });
    assert.equal((await registers('stock', stock('Get'))).state, 'running');
    const kept = await registers('stock', stock('Fetch'));
    assert.equal(kept.state, 'maintenance');
    assert.deepEqual(
      brokenBy('stock', kept).map(({ service }) => service),
      ['cart'],
    );
  });

  test('what cannot be asked is let in, and counted', async () => {
    assert.equal((await registersAt('mute', 1)).state, 'running');
    assert.match(expose(metrics), /heddle_api_admissions_total\{verdict="undecided-admitted"\} 1/);
  });

  test('or is held, if that is set, until the catalogue can judge it again', async () => {
    onUndecided = 'quarantine';
    diskFull = true;
    const held = await registers('late', orders('id'));
    assert.deepEqual([held.state, held.metadata['quarantine']], ['maintenance', 'undecided']);
    assert.match(expose(metrics), /heddle_api_admissions_total\{verdict="undecided-held"\} 1/);
    diskFull = false;
    for (let now: Instance | undefined = held; now?.state !== 'running'; now = await found('late', held.id))
      await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal((await found('late', held.id))?.metadata['quarantine'], undefined);
    assert.equal(catalogue.entry('late')?.versions.length, 1);
  });
});

const stockService = 'stock.v1.Stock';

function brokenBy(service: string, { metadata }: Instance): readonly BrokenConsumer[] {
  const records = catalogue.entry(service)?.quarantined ?? [];
  return records.find(({ hash }) => hash === metadata['quarantine'])?.consumers ?? [];
}

function orders(...fields: readonly string[]): Contract {
  const properties = Object.fromEntries(fields.map((name) => [name, { type: 'string' }]));
  const schema = { type: 'object', required: fields, properties };
  return {
    asyncapi: messageContract({
      title: 'orders',
      version: '1',
      topics: {
        orders: { action: 'send', summary: 'Orders', messages: { 'order.placed': { schema } } },
      },
    }),
  };
}

/** A gRPC service with one method of that name. */
function stock(method: string): Contract {
  const type = '.stock.v1.Empty';
  const file = {
    name: 'stock.proto',
    package: 'stock.v1',
    syntax: 'proto3',
    messageType: [{ name: 'Empty' }],
    service: [{ name: 'Stock', method: [{ name: method, inputType: type, outputType: type }] }],
  };
  const set = toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [file] }));
  return { descriptors: Buffer.from(set).toString('base64') };
}

let instances = 0;

async function registers(service: string, contract: Contract): Promise<Instance> {
  if (contract.descriptors !== undefined)
    return registersAt(service, (await started(mockService(contract))).address.port, 'grpc');
  const told = contractAnswer(contract);
  const server = await started((request) => {
    const answer = told(request);
    return answer === undefined ? Promise.reject(new Error('not served')) : Promise.resolve(answer);
  });
  return registersAt(service, server.address.port);
}

async function registersAt(
  service: string,
  port: number,
  protocol: 'http' | 'grpc' = 'http',
): Promise<Instance> {
  const id = `${service}-${++instances}`;
  const metadata = protocol === 'grpc' ? {} : { [contractKey]: contractPath };
  await registry.register({ id, service, address: '127.0.0.1', port, protocol, metadata });
  const instance = await found(service, id);
  assert.ok(instance !== undefined);
  return instance;
}

async function found(service: string, id: string): Promise<Instance | undefined> {
  return (await registry.instances(service)).instances.find((each) => each.id === id);
}

async function started(service: Parameters<typeof httpServer>[0]): Promise<ServerPart> {
  const server = httpServer(service, { runtime });
  await server.start();
  servers.push(server);
  return server;
}

function diskOf({ disk }: Runtime): Runtime['disk'] {
  return {
    read: (at) => disk.read(at),
    replace: (at, bytes) => disk.replace(at, bytes),
    open: (at) => disk.open(at),
    list: (at) => disk.list(at),
    remove: (at) => disk.remove(at),
  };
}
