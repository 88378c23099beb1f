import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { instancesInSlices } from './slice-instances.ts';

const ports = [
  { name: 'metrics', port: 9090, protocol: 'TCP' },
  { name: 'http', port: 8080, protocol: 'TCP' },
  { name: 'grpc', port: 7000, protocol: 'TCP' },
  { name: 'dns', port: 53, protocol: 'UDP' },
];
const pod = (name: string, conditions?: object, more: object = {}): object => ({
  addresses: [`10.0.0.${name}`],
  targetRef: { kind: 'Pod', name: `pod-${name}` },
  ...(conditions !== undefined && { conditions }),
  ...more,
});
const found = (slices: readonly unknown[], port?: string): string[] =>
  instancesInSlices('users', slices, port).map(({ id, state, health }) => `${id} ${state} ${health}`);

test('conditions become states, and one that is not there counts as the API says', () => {
  const endpoints = [
    pod('1'),
    pod('2', { ready: false }),
    pod('3', { ready: false, serving: true, terminating: true }),
    pod('4', { ready: false, serving: false, terminating: true }),
  ];
  assert.deepEqual(found([{ ports, endpoints }]), [
    'pod-1 running passing',
    'pod-2 unhealthy critical',
    'pod-3 draining passing',
    'pod-4 stopping critical',
  ]);
});

test('several slices are one service; an endpoint that is being moved is there once, as the ready one', () => {
  const one = { ports, endpoints: [pod('1', { ready: false }), pod('2')] };
  const two = { ports, endpoints: [pod('1'), pod('3')] };
  assert.deepEqual(found([one, two]), [
    'pod-1 running passing',
    'pod-2 running passing',
    'pod-3 running passing',
  ]);
});

test('the port is the named one, else grpc, else http, else the first; what does not have it is left out', () => {
  const portOf = (slice: object, name?: string): unknown =>
    instancesInSlices('users', [{ endpoints: [pod('1')], ...slice }], name).map(
      ({ port, protocol }) => `${port} ${protocol}`,
    );
  assert.deepEqual(portOf({ ports }), ['7000 grpc']);
  assert.deepEqual(portOf({ ports }, 'http'), ['8080 http']);
  assert.deepEqual(portOf({ ports: ports.slice(0, 2) }), ['8080 http']);
  assert.deepEqual(portOf({ ports: ports.slice(0, 1) }), ['9090 grpc']);
  assert.deepEqual(portOf({ ports }, 'admin'), []);
  assert.deepEqual(portOf({ ports }, 'dns'), [], 'UDP is not called');
  const application = { name: 'main', port: 1, appProtocol: 'kubernetes.io/h2c' };
  assert.deepEqual(portOf({ ports: [application] }), ['1 grpc']);
});

test('the zone is the endpoint’s, else the one it is hinted for; IPv6 and names are addresses too', () => {
  const hints = { forZones: [{ name: 'z2' }, { name: 'z3' }] };
  const endpoints = [
    { addresses: ['fd00::1'], zone: 'z1', hints, nodeName: 'n1' },
    { addresses: ['db.example.com'], hints },
    { addresses: [] },
    null,
  ];
  const all = instancesInSlices('users', [{ ports, endpoints }], undefined);
  assert.deepEqual(
    all.map(({ address, zone, metadata }) => [address, zone, metadata['kubernetes.hints']]),
    [
      ['fd00::1', 'z1', 'z2 z3'],
      ['db.example.com', 'z2', 'z2 z3'],
    ],
  );
});

test('no slice whatsoever breaks it', () => {
  const anything = fc.anything();
  const slice = fc.record({ ports: fc.oneof(anything, fc.constant(ports)), endpoints: fc.array(anything) });
  fc.assert(
    fc.property(fc.array(fc.oneof(anything, slice)), (slices) => {
      assert.ok(Array.isArray(instancesInSlices('users', slices, undefined)));
    }),
  );
});
