import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { instancesIn } from './assignment-instances.ts';
import { ClusterLoadAssignmentSchema } from '../../gen/envoy/config/endpoint/v3/endpoint_pb.ts';

const at = (last: number, more: object = {}): object => ({
  endpoint: { address: { socketAddress: { address: `10.0.0.${last}`, portValue: 80 } } },
  ...more,
});
const read = (endpoints: object[]): ReturnType<typeof instancesIn> =>
  instancesIn('users', fromJson(ClusterLoadAssignmentSchema, { clusterName: 'c', endpoints } as JsonValue));
const weights = (endpoints: object[]): string =>
  read(endpoints)
    .map(({ address, weight }) => `${address.slice(7)}=${weight}`)
    .join(' ');

test('locality becomes zone and region, health a state, metadata what it says in texts', () => {
  const metadata = { filterMetadata: { 'envoy.lb': { version: 'v2', canary: true, team: 'a' } } };
  const [one, two, three] = read([
    {
      locality: { region: 'eu', zone: 'eu-1', subZone: 'rack-7' },
      lbEndpoints: [
        at(1, { healthStatus: 'HEALTHY', metadata }),
        at(2, { healthStatus: 'DRAINING' }),
        at(3, { healthStatus: 'UNHEALTHY' }),
      ],
    },
  ]);
  assert.deepEqual([one?.region, one?.zone, one?.version, one?.health], ['eu', 'eu-1', 'v2', 'passing']);
  assert.deepEqual(one?.metadata, {
    version: 'v2',
    team: 'a',
    'xds.priority': '0',
    'xds.sub_zone': 'rack-7',
  });
  assert.deepEqual([two?.state, three?.state, three?.health], ['draining', 'running', 'critical']);
});

test('without weights all are alike; endpoints’ own weights count where localities have none', () => {
  assert.equal(weights([{ lbEndpoints: [at(1), at(2)] }]), '1=100 2=100');
  const own = [at(1, { loadBalancingWeight: 3 }), at(2), at(3, { loadBalancingWeight: 70_000 })];
  assert.equal(weights([{ lbEndpoints: own }]), '1=3 2=1 3=65535');
});

test('a locality’s share is split by its endpoints’ weights; one without a share gets nothing', () => {
  const localities = [
    {
      locality: { zone: 'a' },
      loadBalancingWeight: 3,
      lbEndpoints: [at(1, { loadBalancingWeight: 2 }), at(2)],
    },
    { locality: { zone: 'b' }, loadBalancingWeight: 1, lbEndpoints: [at(3)] },
    { locality: { zone: 'c' }, lbEndpoints: [at(4)] },
  ];
  assert.equal(weights(localities), '1=5000 2=2500 3=2500 4=0');
  const sick = at(3, { healthStatus: 'UNHEALTHY' });
  const without = [localities[0] ?? {}, { ...localities[1], lbEndpoints: [sick] }];
  assert.equal(weights(without).slice(0, 13), '1=6667 2=3333', 'a sick locality gives its share away');
});

test('a lower priority stands by until nothing above it is called; if nothing at all is, the first is', () => {
  const two = (status: string): object[] => [
    { lbEndpoints: [at(1, { healthStatus: status })] },
    { priority: 1, lbEndpoints: [at(2)] },
  ];
  assert.equal(weights(two('HEALTHY')), '1=100 2=0');
  assert.equal(weights(two('TIMEOUT')), '1=0 2=100');
  assert.equal(weights([{ lbEndpoints: [at(1, { healthStatus: 'UNHEALTHY' })] }]), '1=100');
});

test('what is no instance is left out', () => {
  const named = { endpoint: { address: { socketAddress: { address: '10.0.0.9', namedPort: 'http' } } } };
  const bad = { endpoint: { address: { socketAddress: { address: 'a b', portValue: 80 } } } };
  assert.equal(weights([{ lbEndpoints: [named, bad, { endpointName: 'x' }, at(1)] }]), '1=100');
});
