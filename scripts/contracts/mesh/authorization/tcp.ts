// Ports that are not HTTP: what cannot be asked makes ALLOW narrower and DENY wider.
import { account, allow, type CaseGroup, deny, group, policy } from './case.ts';

const page = 'tasks/security/authorization/authz-tcp';

/** Groups about ports that are not HTTP. */
export const tcp: readonly CaseGroup[] = [
  group('an ALLOW by port', page, allow('{to: [{operation: {ports: ["9000", "9001"]}}]}'), [
    [{ tcp: true, port: 9000 }, 'allow'],
    [{ tcp: true, port: 9001 }, 'allow'],
    [{ tcp: true, port: 9002 }, 'deny'],
  ]),
  group(
    'an ALLOW that asks for a method never matches',
    page,
    allow('{to: [{operation: {methods: [GET], ports: ["9000"]}}]}'),
    [
      [{ tcp: true, port: 9000 }, 'deny'],
      [{ tcp: true, port: 9001 }, 'deny'],
      [{ port: 9000 }, 'allow'],
    ],
  ),
  group(
    'one alternative that is HTTP spoils an ALLOW rule',
    page,
    allow('{to: [{operation: {ports: ["9000"]}}, {operation: {paths: ["/x"]}}]}'),
    [
      [{ tcp: true, port: 9000 }, 'deny'],
      [{ port: 9000 }, 'allow'],
    ],
  ),
  group(
    'rules of their own are not spoiled',
    page,
    policy('{rules: [{to: [{operation: {ports: ["9000"]}}]}, {to: [{operation: {paths: ["/x"]}}]}]}'),
    [
      [{ tcp: true, port: 9000 }, 'allow'],
      [{ tcp: true, port: 9001 }, 'deny'],
    ],
  ),
  group(
    'a DENY that asks for a method denies all of TCP',
    page,
    deny('{to: [{operation: {methods: [GET]}}]}'),
    [
      [{ tcp: true, port: 9000 }, 'deny'],
      [{ tcp: true, port: 9001 }, 'deny'],
      [{ method: 'POST' }, 'allow'],
    ],
  ),
  group(
    'a DENY that asks for a method and a port denies that port',
    page,
    deny('{to: [{operation: {methods: [GET], ports: ["9000"]}}]}'),
    [
      [{ tcp: true, port: 9000 }, 'deny'],
      [{ tcp: true, port: 9001 }, 'allow'],
      [{ port: 9000, method: 'POST' }, 'allow'],
    ],
  ),
  group(
    'a DENY by caller holds on TCP',
    page,
    deny('{from: [{source: {namespaces: [dev]}}], to: [{operation: {paths: ["/admin"]}}]}'),
    [
      [{ tcp: true, principal: account('dev', 'x') }, 'deny'],
      [{ tcp: true }, 'allow'],
    ],
  ),
  group('a DENY by a header', page, deny('{when: [{key: "request.headers[x]", values: ["1"]}]}'), [
    [{ tcp: true }, 'deny'],
    [{}, 'allow'],
  ]),
  group('an ALLOW by a header', page, allow('{when: [{key: "request.headers[x]", values: ["1"]}]}'), [
    [{ tcp: true }, 'deny'],
    [{ headers: { x: '1' } }, 'allow'],
  ]),
  group('an ALLOW by a token', page, allow('{from: [{source: {requestPrincipals: ["*"]}}]}'), [
    [{ tcp: true }, 'deny'],
  ]),
];
