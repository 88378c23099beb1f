// Rules of connections, the scope of a Sidecar, and keys that are fetched.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { ListenerSchema } from '../gen/envoy/config/listener/v3/listener_pb.ts';
import { TcpProxySchema } from '../gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts';
import { loadResources } from '../resources/index.ts';
import { Translator } from '../xds/translate/translator.ts';
import { type TranslateOptions, translate } from './index.ts';

const services = `
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{name: tcp-db, port: 5432}]}
---
apiVersion: v1
kind: Service
metadata: {name: mail, namespace: shop}
spec: {selector: {app: mail}, ports: [{name: tls-mail, port: 8443}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: front}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: order, namespace: shop, labels: {app: order}}
spec: {containers: []}
---
`;

function snapshotOf(text: string, options: TranslateOptions = {}): ReturnType<Translator['translate']> {
  const { resources, findings } = loadResources([{ file: 'mesh.yaml', text: services + text }]);
  assert.deepEqual(findings, []);
  const locality = { region: '', zone: '', subZone: '' };
  const proxy = { plane: 'envoy', workload: 'shop/order', locality } as const;
  return new Translator().translate(translate(resources, options), proxy);
}

function chainsOf(text: string, listener: string): readonly string[] {
  const bytes = snapshotOf(text).snapshot.listener.get(listener)?.bytes ?? new Uint8Array();
  return fromBinary(ListenerSchema, bytes).filterChains.map(({ filterChainMatch, filters }) => {
    const [filter] = filters;
    const value =
      filter?.configType.case === 'typedConfig' ? filter.configType.value.value : new Uint8Array();
    const { clusterSpecifier } = fromBinary(TcpProxySchema, value);
    const to =
      clusterSpecifier.case === 'weightedClusters'
        ? clusterSpecifier.value.clusters.map(({ name, weight }) => `${name} ${weight}`).join(', ')
        : clusterSpecifier.value;
    const ranges = filterChainMatch?.sourcePrefixRanges.map(
      ({ addressPrefix, prefixLen }) => `${addressPrefix}/${prefixLen ?? ''}`,
    );
    return `${filterChainMatch?.serverNames.join(' ') ?? '*'} ${ranges?.join(' ') ?? ''} -> ${to}`;
  });
}

const db = (subset: string): string => `outbound|5432|${subset}|db.shop.svc.cluster.local`;
const mail = (subset: string): string => `outbound|8443|${subset}|mail.shop.svc.cluster.local`;

describe('rules for connections', () => {
  test('by share and by where they come from', () => {
    const rules = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: db, namespace: shop}
spec:
  hosts: [db]
  tcp:
    - match: [{sourceSubnet: 10.1.0.0/16}, {sourceLabels: {app: nobody}}]
      route: [{destination: {host: db, subset: near}}]
    - route: [{destination: {host: db, subset: v1}, weight: 90}, {destination: {host: db, subset: v2}, weight: 10}]
`;
    assert.deepEqual(chainsOf(rules, 'outbound_127.0.0.1_5432'), [
      ` 10.1.0.0/16 -> ${db('near')}`,
      `*  -> ${db('v1')} 90, ${db('v2')} 10`,
    ]);
  });

  test('by the server name that TLS asks for; what no rule names goes to the service', () => {
    const rules = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: mail, namespace: shop}
spec:
  hosts: [mail]
  tls:
    - match: [{sniHosts: [a.example, "*.b.example"]}]
      route: [{destination: {host: mail, subset: v1}}]
`;
    assert.deepEqual(chainsOf(rules, 'outbound_127.0.0.1_8443'), [
      `a.example *.b.example  -> ${mail('v1')}`,
      `*  -> ${mail('')}`,
    ]);
  });
});

describe('a Sidecar', () => {
  const sidecar = (spec: string): string =>
    `apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: own, namespace: shop}\nspec: ${spec}\n`;

  test('leaves its workloads the services and clusters of their egress', () => {
    const all = snapshotOf('').snapshot;
    assert.equal(all.cluster.size, 3);
    const { snapshot } = snapshotOf(
      sidecar('{egress: [{hosts: ["./db.shop.svc.cluster.local", "front/*"]}]}'),
    );
    assert.deepEqual([...snapshot.cluster.keys()].toSorted(), [
      db(''),
      'outbound|80||web.front.svc.cluster.local',
    ]);
    assert.deepEqual([...snapshot.listener.keys()].toSorted(), [
      'outbound_127.0.0.1_5432',
      'outbound_127.0.0.1_80',
    ]);
    const none = snapshotOf(sidecar('{egress: [{hosts: ["~/*"]}]}')).snapshot;
    assert.deepEqual([none.cluster.size, none.listener.size], [0, 0]);
  });

  test('of other workloads says nothing here; what no plane does of it is told', () => {
    const other = '{workloadSelector: {labels: {app: other}}, egress: [{hosts: ["~/*"]}]}';
    assert.equal(snapshotOf(sidecar(other)).snapshot.cluster.size, 3);
    const { inexpressible } = snapshotOf(sidecar('{outboundTrafficPolicy: {mode: ALLOW_ANY}}'));
    assert.deepEqual(
      inexpressible.map(({ what, origin }) => [what, origin]),
      [['outboundTrafficPolicy', 'Sidecar shop/own (mesh.yaml:23)']],
    );
  });
});

describe('keys by their address', () => {
  const rules = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: order, namespace: shop}
spec: {jwtRules: [{issuer: https://a.example, jwksUri: "https://a.example/keys"}]}
---
apiVersion: v1
kind: Service
metadata: {name: order, namespace: shop}
spec: {selector: {app: order}, ports: [{name: http, port: 8080}]}
`;

  test('are in the rules once they are fetched; until then nobody is believed, and it is told', () => {
    const missing = snapshotOf(rules).inexpressible;
    assert.match(missing[0]?.instead ?? '', /no token of the issuer is believed/);
    const keysAt = (): string => '{"keys":[{"kid":"a"}]}';
    assert.deepEqual(snapshotOf(rules, { keysAt }).inexpressible, []);
  });
});
