// Which workloads a policy is about: namespace, root namespace, selector, target; trust domains.
import { account, allow, type CaseGroup, group, policy } from './case.ts';

const reference = 'reference/config/security/authorization-policy';
const nothing = '{}';
const root = 'name: root, namespace: istio-system';
const selecting = (label: string): string => `{selector: {matchLabels: {${label}}}}`;

/** Groups about scope. */
export const scope: readonly CaseGroup[] = [
  group('a policy of another namespace', reference, policy(nothing, 'name: p, namespace: bar'), [
    [{}, 'allow'],
  ]),
  group('a policy of the root namespace', reference, policy(nothing, root), [[{}, 'deny']]),
  group('a selector that matches', reference, policy(selecting('app: httpbin')), [[{}, 'deny']]),
  group('a selector that does not', reference, policy(selecting('app: sleep')), [[{}, 'allow']]),
  group('all labels of a selector', reference, policy(selecting('app: httpbin, version: v2')), [
    [{}, 'allow'],
  ]),
  group('two labels that match', reference, policy(selecting('app: httpbin, version: v1')), [[{}, 'deny']]),
  group(
    'a selector in the root namespace reaches all namespaces',
    reference,
    policy(selecting('version: v1'), root),
    [[{}, 'deny']],
  ),
  group(
    'a selector of another namespace does not',
    reference,
    policy(selecting('version: v1'), 'name: p, namespace: bar'),
    [[{}, 'allow']],
  ),
  group(
    'a selector in the root namespace that does not match',
    reference,
    policy(selecting('version: v2'), root),
    [[{}, 'allow']],
  ),
  group(
    'namespace and root namespace together: any ALLOW',
    reference,
    policy('{rules: [{from: [{source: {namespaces: [ops]}}]}]}', root) +
      allow('{to: [{operation: {methods: [GET]}}]}'),
    [
      [{}, 'allow'],
      [{ method: 'POST', principal: account('ops', 'x') }, 'allow'],
      [{ method: 'POST' }, 'deny'],
    ],
  ),
  group(
    'a DENY of the root namespace before an ALLOW of the namespace',
    reference,
    policy('{action: DENY, rules: [{to: [{operation: {methods: [DELETE]}}]}]}', root) + allow('{}'),
    [
      [{}, 'allow'],
      [{ method: 'DELETE' }, 'deny'],
    ],
  ),
  group(
    'a target: the gateway that it names',
    reference,
    policy(
      '{action: DENY, targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: front}], rules: [{}]}',
    ),
    [[{}, 'deny']],
    { workload: { namespace: 'foo', labels: {}, gateway: 'front' } },
  ),
  group(
    'a target: another gateway',
    reference,
    policy(
      '{action: DENY, targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: back}], rules: [{}]}',
    ),
    [[{}, 'allow']],
    { workload: { namespace: 'foo', labels: {}, gateway: 'front' } },
  ),
  group(
    'a target: no workload but the gateway',
    reference,
    policy(
      '{action: DENY, targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: front}], rules: [{}]}',
    ),
    [[{}, 'allow']],
  ),
  group(
    'cluster.local stands for the trust domain of the mesh',
    'tasks/security/authorization/authz-td-migration',
    allow('{from: [{source: {principals: ["cluster.local/ns/default/sa/sleep"]}}]}'),
    [
      [{}, 'allow'],
      [{ principal: account('default', 'sleep', 'other.example') }, 'deny'],
    ],
  ),
];
