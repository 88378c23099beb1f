// PeerAuthentication: which policy is about a port, and what it takes.
import { type CaseGroup, group, httpbin } from './case.ts';

const page = 'reference/config/security/peer_authentication';
const peers = (spec: string, metadata = 'name: default, namespace: foo'): string =>
  `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {${metadata}}
spec: ${spec}
---
`;
const mode = (mode: string, metadata?: string): string => peers(`{mtls: {mode: ${mode}}}`, metadata);
const root = 'name: default, namespace: istio-system';
const own = (spec: string): string =>
  peers(`{selector: {matchLabels: {app: httpbin}}, ${spec}}`, 'name: httpbin, namespace: foo');
const both: CaseGroup['requests'] = [
  [{}, 'allow'],
  [{ principal: '' }, 'allow'],
];
const strict: CaseGroup['requests'] = [
  [{}, 'allow'],
  [{ principal: '' }, 'refused'],
];

/** Groups about mutual TLS. */
export const mutualTls: readonly CaseGroup[] = [
  group('nothing said: both', page, '', both),
  group('a mesh that is strict', 'tasks/security/authentication/authn-policy', mode('STRICT', root), strict),
  group('a namespace that is strict', 'tasks/security/authentication/authn-policy', mode('STRICT'), strict),
  group('another namespace that is strict', page, mode('STRICT', 'name: default, namespace: bar'), both),
  group('a namespace before the mesh', page, mode('STRICT', root) + mode('PERMISSIVE'), both),
  group('a namespace that says nothing', page, mode('STRICT', root) + mode('UNSET'), strict),
  group('a workload before its namespace', page, mode('STRICT') + own('mtls: {mode: PERMISSIVE}'), both),
  group('a workload that says nothing', page, mode('STRICT') + own('mtls: {mode: UNSET}'), strict),
  group('a workload that is strict', page, own('mtls: {mode: STRICT}'), strict),
  group(
    'a workload that is not this one',
    page,
    own('mtls: {mode: STRICT}').replace('app: httpbin', 'app: sleep'),
    both,
  ),
  group(
    'a port before its workload',
    'tasks/security/authentication/authn-policy',
    own('mtls: {mode: STRICT}, portLevelMtls: {"8080": {mode: PERMISSIVE}}'),
    [...both, [{ principal: '', port: 9090 }, 'refused'], [{ port: 9090 }, 'allow']],
  ),
  group('a port that is strict', page, own('portLevelMtls: {"8080": {mode: STRICT}}'), [
    ...strict,
    [{ principal: '', port: 9090 }, 'allow'],
  ]),
  group(
    'a port that says nothing',
    page,
    own('mtls: {mode: STRICT}, portLevelMtls: {"8080": {mode: UNSET}}'),
    strict,
  ),
  group(
    'a selector in the root namespace is about that namespace alone',
    page,
    peers('{selector: {matchLabels: {app: httpbin}}, mtls: {mode: STRICT}}', root),
    both,
  ),
  group(
    'of two the older',
    page,
    mode('PERMISSIVE', 'name: b, namespace: foo, creationTimestamp: "2026-01-01T00:00:00Z"') +
      mode('STRICT', 'name: a, namespace: foo, creationTimestamp: "2026-02-01T00:00:00Z"'),
    both,
    { workload: httpbin },
  ),
];
