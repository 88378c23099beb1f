import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Cluster, clusterName } from '../../model/cluster.ts';
import type { MeshEndpoint } from '../../model/endpoint.ts';
import type { MeshModel } from '../../model/mesh-model.ts';
import type { RouteRule } from '../../model/rule.ts';
import { placed } from './locality.ts';
import { type ProxyKind, Translator } from './translator.ts';

const west = { region: 'west', zone: 'a', subZone: '' };

function cluster(host: string): Cluster {
  const at = { host, port: 80, subset: '' };
  return {
    ...at,
    name: clusterName(at),
    origin: `ServiceEntry shop/${host}`,
    protocol: 'http1',
    source: 'endpoints',
    balance: { policy: 'round_robin' },
    locality: { kind: 'off' },
    pool: {},
    tls: { mode: 'off' },
  };
}

function endpoint(address: string, changes: Partial<MeshEndpoint> = {}): MeshEndpoint {
  return { address, port: 80, weight: 1, health: 'healthy', locality: west, identity: '', ...changes };
}

function model(hosts: readonly string[], changes: Partial<RouteRule> = {}): MeshModel {
  const clusters = hosts.map(cluster);
  return {
    trustDomain: 'cluster.local',
    services: clusters.map(({ host, port, name }) => ({
      host,
      port,
      aliases: [],
      protocol: 'http',
      visibleIn: [],
      rules: [
        {
          name: host,
          origin: `VirtualService shop/${host}`,
          matches: [],
          action: { kind: 'forward', shares: [{ cluster: name, weight: 1 }] },
          ...changes,
        },
      ],
    })),
    clusters: new Map(clusters.map((each) => [each.name, each])),
    assignments: new Map(
      clusters.map(({ name }) => [name, { cluster: name, endpoints: [endpoint('10.0.0.1')] }]),
    ),
    workloads: new Map(),
  };
}

const envoy: ProxyKind = { plane: 'envoy', workload: 'shop/web', locality: west };

describe('a translation', () => {
  test('shares with the one before all that a change of one endpoint does not touch', () => {
    const translator = new Translator();
    const before = model(['a', 'b']);
    const first = translator.translate(before, envoy).snapshot;
    const name = clusterName({ host: 'a', port: 80, subset: '' });
    const assignment = { cluster: name, endpoints: [endpoint('10.0.0.2')] };
    const after = { ...before, assignments: new Map(before.assignments).set(name, assignment) };
    const second = translator.translate(after, envoy).snapshot;
    for (const type of ['cluster', 'listener', 'route', 'secret'] as const)
      assert.equal(second[type], first[type], type);
    const changed = [...second.endpoints].filter(([key, each]) => first.endpoints.get(key) !== each);
    assert.deepEqual(
      changed.map(([key]) => key),
      [name],
    );
    // Another proxy of the same place gets the very same map.
    const other = translator.translate(after, { ...envoy, workload: 'shop/other' }).snapshot;
    assert.equal(other.endpoints, second.endpoints);
  });

  test('says what clients of gRPC cannot do, and nothing of it to Envoy', () => {
    const rules = model(['a'], {
      mirrors: [{ cluster: 'b', percent: 10 }],
      rewrite: { authority: 'x' },
      matches: [{ query: [{ name: 'q', kind: 'present', value: '' }] }],
    });
    const grpc = new Translator().translate(rules, { ...envoy, plane: 'grpc' });
    assert.deepEqual(
      grpc.inexpressible.map(({ what }) => what),
      ['rewrite', 'mirror', 'a condition on the query'],
    );
    assert.ok(grpc.inexpressible.every(({ origin }) => origin === 'VirtualService shop/a'));
    assert.deepEqual(new Translator().translate(rules, envoy).inexpressible, []);
  });
});

describe('localities', () => {
  const at = (region: string, zone: string): MeshEndpoint =>
    endpoint(`${region}-${zone}`, { locality: { region, zone, subZone: '' } });
  const assignment = {
    cluster: 'c',
    endpoints: [at('east', 'x'), at('west', 'b'), at('west', 'a'), at('north', 'n')],
  };
  const priorities = (rules: Cluster['locality']): Readonly<Record<string, number>> =>
    Object.fromEntries(
      placed(assignment, rules, west).map(({ locality, priority }) => [
        `${locality.region}/${locality.zone}`,
        priority,
      ]),
    );

  test('are asked from the nearest outwards, the named region before others', () => {
    assert.deepEqual(priorities({ kind: 'failover', failover: [{ from: 'west', to: 'north' }] }), {
      'west/a': 0,
      'west/b': 1,
      'north/n': 2,
      'east/x': 3,
    });
  });

  test('share by weights, together what one entry says of all of them; those without get nothing', () => {
    const rules = {
      kind: 'distribute',
      distribute: [{ from: 'west/*', to: { 'west/*': 80, 'east/x': 20 } }],
    } as const;
    const shares = placed(assignment, rules, west).map(({ locality, weight }) => [locality.zone, weight]);
    assert.deepEqual(shares, [
      ['x', 2000],
      ['b', 4000],
      ['a', 4000],
    ]);
  });
});
