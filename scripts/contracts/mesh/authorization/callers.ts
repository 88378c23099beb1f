// Who calls: identities, namespaces, accounts, trust domains, addresses.
import { account, allow, type CaseGroup, deny, group, policy } from './case.ts';

const reference = 'reference/config/security/authorization-policy';
const from = (source: string): string => allow(`{from: [{source: {${source}}}]}`);

/** Groups about callers. */
export const callers: readonly CaseGroup[] = [
  group(
    'a principal exactly',
    'tasks/security/authorization/authz-http',
    from('principals: ["cluster.local/ns/default/sa/sleep"]'),
    [
      [{}, 'allow'],
      [{ principal: account('default', 'sleep2') }, 'deny'],
      [{ principal: account('other', 'sleep') }, 'deny'],
      [{ principal: '' }, 'deny'],
      [{ tcp: true }, 'allow'],
    ],
  ),
  group('a principal by its beginning', reference, from('principals: ["cluster.local/ns/default/*"]'), [
    [{}, 'allow'],
    [{ principal: account('default', 'web') }, 'allow'],
    [{ principal: account('prod', 'web') }, 'deny'],
  ]),
  group('a principal by its end', reference, from('principals: ["*/sa/sleep"]'), [
    [{}, 'allow'],
    [{ principal: account('any', 'sleep', 'other.domain') }, 'allow'],
    [{ principal: account('any', 'sleep2') }, 'deny'],
  ]),
  group('any principal means mTLS', reference, from('principals: ["*"]'), [
    [{}, 'allow'],
    [{ principal: account('x', 'y', 'elsewhere') }, 'allow'],
    [{ principal: '' }, 'deny'],
  ]),
  group(
    'notPrincipals also means those without mTLS',
    reference,
    deny('{from: [{source: {notPrincipals: ["cluster.local/ns/default/sa/sleep"]}}]}'),
    [
      [{}, 'allow'],
      [{ principal: account('default', 'web') }, 'deny'],
      [{ principal: '' }, 'deny'],
    ],
  ),
  group(
    'plaintext is denied',
    'tasks/security/authentication/authn-policy',
    deny('{from: [{source: {notPrincipals: ["*"]}}]}'),
    [
      [{}, 'allow'],
      [{ principal: '' }, 'deny'],
      [{ principal: '', tcp: true }, 'deny'],
    ],
  ),
  group('a namespace', reference, from('namespaces: ["test", "prod-*"]'), [
    [{ principal: account('test', 'a') }, 'allow'],
    [{ principal: account('prod-eu', 'a') }, 'allow'],
    [{ principal: account('testing', 'a') }, 'deny'],
    [{}, 'deny'],
    [{ principal: '' }, 'deny'],
  ]),
  group('a namespace by its end', reference, from('namespaces: ["*-prod"]'), [
    [{ principal: account('eu-prod', 'a') }, 'allow'],
    [{ principal: account('prod', 'a') }, 'deny'],
  ]),
  group(
    'notNamespaces',
    'tasks/security/authorization/authz-deny',
    deny('{from: [{source: {notNamespaces: ["foo"]}}]}'),
    [
      [{ principal: account('foo', 'a') }, 'allow'],
      [{ principal: account('bar', 'a') }, 'deny'],
      [{ principal: '' }, 'deny'],
    ],
  ),
  group(
    'accounts of the own and of other namespaces',
    reference,
    from('serviceAccounts: ["web", "ops/admin"]'),
    [
      [{ principal: account('foo', 'web') }, 'allow'],
      [{ principal: account('ops', 'admin') }, 'allow'],
      [{ principal: account('ops', 'admin', 'other.domain') }, 'allow'],
      [{ principal: account('ops', 'web') }, 'deny'],
      [{ principal: account('foo', 'admin') }, 'deny'],
      [{ principal: account('foo', 'web-2') }, 'deny'],
      [{ principal: '' }, 'deny'],
    ],
  ),
  group(
    'notServiceAccounts',
    reference,
    deny('{from: [{source: {notServiceAccounts: ["default/sleep"]}}]}'),
    [
      [{}, 'allow'],
      [{ principal: account('default', 'web') }, 'deny'],
      [{ principal: '' }, 'deny'],
    ],
  ),
  group(
    'fields of a source must all hold',
    reference,
    from('namespaces: ["default"], notPrincipals: ["*/sa/web"], ipBlocks: ["10.0.0.0/8"]'),
    [
      [{}, 'allow'],
      [{ principal: account('default', 'web') }, 'deny'],
      [{ sourceIp: '192.168.0.1' }, 'deny'],
      [{ principal: account('other', 'sleep') }, 'deny'],
    ],
  ),
  group(
    'sources of one rule are alternatives',
    reference,
    allow(
      '{from: [{source: {principals: ["cluster.local/ns/default/sa/sleep"]}}, {source: {namespaces: [test]}}]}',
    ),
    [
      [{}, 'allow'],
      [{ principal: account('test', 'x') }, 'allow'],
      [{ principal: account('other', 'x') }, 'deny'],
    ],
  ),
  group(
    'the example of the reference: who, what and when',
    reference,
    policy(
      '{rules: [{from: [{source: {principals: ["cluster.local/ns/default/sa/sleep"]}}, {source: {namespaces: [dev]}}], to: [{operation: {methods: [GET]}}], when: [{key: "request.headers[version]", values: [v1, v2]}]}]}',
    ),
    [
      [{ headers: { version: 'v1' } }, 'allow'],
      [{ headers: { version: 'v2' }, principal: account('dev', 'x') }, 'allow'],
      [{ headers: { version: 'v3' } }, 'deny'],
      [{}, 'deny'],
      [{ headers: { version: 'v1' }, method: 'POST' }, 'deny'],
      [{ headers: { version: 'v1' }, principal: account('prod', 'x') }, 'deny'],
    ],
  ),
  group(
    'ipBlocks: one address, a range, IPv6',
    reference,
    from('ipBlocks: ["203.0.113.4", "10.1.0.0/16", "2001:db8::/32"]'),
    [
      [{ sourceIp: '203.0.113.4' }, 'allow'],
      [{ sourceIp: '203.0.113.5' }, 'deny'],
      [{ sourceIp: '10.1.255.1' }, 'allow'],
      [{ sourceIp: '10.2.0.1' }, 'deny'],
      [{ sourceIp: '2001:db8:1::5' }, 'allow'],
      [{ sourceIp: '2001:db9::5' }, 'deny'],
      [{ sourceIp: '10.1.0.1', tcp: true }, 'allow'],
    ],
  ),
  group('a range whose border is within a byte', reference, from('ipBlocks: ["10.0.0.0/9"]'), [
    [{ sourceIp: '10.127.255.255' }, 'allow'],
    [{ sourceIp: '10.128.0.0' }, 'deny'],
  ]),
  group('notIpBlocks', reference, deny('{from: [{source: {notIpBlocks: ["10.0.0.0/8"]}}]}'), [
    [{}, 'allow'],
    [{ sourceIp: '192.0.2.1' }, 'deny'],
  ]),
  group(
    'ipBlocks are about the peer, not the client',
    'tasks/security/authorization/authz-ingress',
    from('ipBlocks: ["192.0.2.1"]'),
    [
      [{ sourceIp: '10.0.0.1', remoteIp: '192.0.2.1' }, 'deny'],
      [{ sourceIp: '192.0.2.1', remoteIp: '198.51.100.1' }, 'allow'],
    ],
  ),
  group(
    'remoteIpBlocks are about the client',
    'tasks/security/authorization/authz-ingress',
    from('remoteIpBlocks: ["192.0.2.0/24"]'),
    [
      [{ sourceIp: '10.0.0.1', remoteIp: '192.0.2.1' }, 'allow'],
      [{ sourceIp: '192.0.2.1', remoteIp: '198.51.100.1' }, 'deny'],
    ],
  ),
  group(
    'notRemoteIpBlocks',
    'tasks/security/authorization/authz-ingress',
    deny('{from: [{source: {notRemoteIpBlocks: ["192.0.2.0/24"]}}]}'),
    [
      [{ remoteIp: '192.0.2.77' }, 'allow'],
      [{ remoteIp: '198.51.100.1' }, 'deny'],
    ],
  ),
];
