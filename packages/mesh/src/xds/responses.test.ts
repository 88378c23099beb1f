import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from '../gen/envoy/service/discovery/v3/discovery_pb.ts';
import { typeUrls } from './ads/resource.ts';
import { deltaResponse, sotwResponse } from './responses.ts';

const resources = ['a', 'b'].map((name) => ({ name, version: `${name}1`, bytes: Uint8Array.of(8, 1) }));
const push = {
  stream: 's',
  type: 'cluster',
  nonce: '7',
  version: '3',
  resources,
  removed: ['x'],
} as const;

test('what is sent reads as the protocol has it', () => {
  const whole = fromBinary(DiscoveryResponseSchema, toBinary(DiscoveryResponseSchema, sotwResponse(push)));
  assert.deepEqual([whole.typeUrl, whole.nonce, whole.versionInfo], [typeUrls.cluster, '7', '3']);
  assert.deepEqual(
    whole.resources.map(({ typeUrl, value }) => [typeUrl, [...value]]),
    [
      [typeUrls.cluster, [8, 1]],
      [typeUrls.cluster, [8, 1]],
    ],
  );
  const bytes = toBinary(DeltaDiscoveryResponseSchema, deltaResponse(push));
  const delta = fromBinary(DeltaDiscoveryResponseSchema, bytes);
  assert.deepEqual([delta.nonce, delta.systemVersionInfo, delta.removedResources], ['7', '3', ['x']]);
  assert.deepEqual(
    delta.resources.map(({ name, version, resource }) => [name, version, resource?.typeUrl]),
    [
      ['a', 'a1', typeUrls.cluster],
      ['b', 'b1', typeUrls.cluster],
    ],
  );
});
