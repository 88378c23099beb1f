import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type Any, anyPack } from '@bufbuild/protobuf/wkt';
import fc from 'fast-check';
import { endpointType } from './ads-protocol.ts';
import { Delta } from './delta.ts';
import { ClusterLoadAssignmentSchema } from '../../gen/envoy/config/endpoint/v3/endpoint_pb.ts';
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
  ResourceSchema,
} from '../../gen/envoy/service/discovery/v3/discovery_pb.ts';
import { StateOfTheWorld } from './state-of-the-world.ts';

const node = { id: 'me', zone: 'z1' };
const assignment = (clusterName: string, priorities: readonly number[] = []): Any => {
  const endpoints = priorities.map((priority) => ({ priority }));
  return anyPack(
    ClusterLoadAssignmentSchema,
    create(ClusterLoadAssignmentSchema, { clusterName, endpoints }),
  );
};
const answer = (versionInfo: string, ...resources: Any[]): Uint8Array =>
  toBinary(
    DiscoveryResponseSchema,
    create(DiscoveryResponseSchema, {
      versionInfo,
      nonce: `n${versionInfo}`,
      typeUrl: endpointType,
      resources,
    }),
  );
const said = (bytes: Uint8Array | undefined): unknown => {
  assert.ok(bytes !== undefined);
  const {
    versionInfo,
    responseNonce,
    resourceNames,
    errorDetail,
    node: sent,
  } = fromBinary(DiscoveryRequestSchema, bytes);
  return [versionInfo, responseNonce, resourceNames.join(), errorDetail?.message ?? '', sent?.id ?? ''];
};

test('state of the world: who we are once, then ACK with version and nonce, and all names each time', () => {
  const protocol = new StateOfTheWorld(node);
  assert.deepEqual(said(protocol.want(new Set(['b', 'a']))), ['', '', 'a,b', '', 'me']);
  assert.equal(protocol.want(new Set(['a', 'b'])), undefined);
  const reading = protocol.receive(answer('1', assignment('a')));
  assert.deepEqual(
    reading.updates.map(({ name }) => name),
    ['a'],
  );
  assert.deepEqual(said(reading.reply), ['1', 'n1', 'a,b', '', '']);
  assert.deepEqual(said(protocol.want(new Set(['a']))), ['1', 'n1', 'a', '', '']);
});

test('state of the world: NACK with the version before, the nonce of now, and why; what is good is taken', () => {
  const protocol = new StateOfTheWorld(node);
  protocol.want(new Set(['a', 'b']));
  protocol.receive(answer('1', assignment('a')));
  const { updates, reply } = protocol.receive(answer('2', assignment('a', [0, 2]), assignment('b', [0, 1])));
  assert.deepEqual(
    updates.map(({ name }) => name),
    ['b'],
  );
  assert.deepEqual(said(reply), ['1', 'n2', 'a,b', 'cluster "a": no locality has priority 1', '']);
});

test('delta: only what changes is said, and what is gone is told', () => {
  const protocol = new Delta(node);
  const first = fromBinary(DeltaDiscoveryRequestSchema, protocol.want(new Set(['a'])) ?? new Uint8Array());
  assert.deepEqual([first.resourceNamesSubscribe, first.node?.id], [['a'], 'me']);
  const second = fromBinary(DeltaDiscoveryRequestSchema, protocol.want(new Set(['b'])) ?? new Uint8Array());
  assert.deepEqual([second.resourceNamesSubscribe, second.resourceNamesUnsubscribe], [['b'], ['a']]);
  const response = create(DeltaDiscoveryResponseSchema, {
    nonce: 'n',
    typeUrl: endpointType,
    resources: [
      create(ResourceSchema, { name: 'b', version: '1', resource: assignment('b') }),
      create(ResourceSchema, { name: 'c' }),
    ],
    removedResources: ['a'],
  });
  const { updates, reply } = protocol.receive(toBinary(DeltaDiscoveryResponseSchema, response));
  assert.deepEqual(
    updates.map(({ name, assignment: is }) => `${name} ${is === undefined ? 'gone' : 'there'}`),
    ['b there', 'a gone'],
  );
  const nack = fromBinary(DeltaDiscoveryRequestSchema, reply ?? new Uint8Array());
  assert.match(
    `${nack.responseNonce} ${nack.errorDetail?.message}`,
    /^n c: expected a resource of .*, found none$/,
  );
});

test('an answer of another kind is left alone, and no bytes break it but by an error', () => {
  for (const protocol of [new StateOfTheWorld(node), new Delta(node)]) {
    const other = toBinary(
      DiscoveryResponseSchema,
      create(DiscoveryResponseSchema, { typeUrl: 'x', nonce: 'n' }),
    );
    assert.deepEqual(protocol.receive(other), { updates: [], reply: undefined, problem: undefined });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          protocol.receive(bytes);
        } catch (error) {
          assert.ok(error instanceof Error);
        }
      }),
    );
  }
});
