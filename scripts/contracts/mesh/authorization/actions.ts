// Which policy decides: the order of the actions, what is there by default, AUDIT and dry runs.
import { account, allow, type CaseGroup, deny, group, policy } from './case.ts';

const reference = 'reference/config/security/authorization-policy';
const ops = 'name: ops, namespace: foo';

/** Groups about actions. */
export const actions: readonly CaseGroup[] = [
  group('no policy: everything passes', 'concepts/security', '', [
    [{}, 'allow'],
    [{ method: 'POST', path: '/admin' }, 'allow'],
    [{ principal: '' }, 'allow'],
    [{ tcp: true }, 'allow'],
  ]),
  group('an empty spec allows nothing', reference, policy('{}'), [
    [{}, 'deny'],
    [{ method: 'POST' }, 'deny'],
    [{ principal: '' }, 'deny'],
    [{ tcp: true }, 'deny'],
  ]),
  group('an empty rule allows all', reference, policy('{rules: [{}]}'), [
    [{}, 'allow'],
    [{ method: 'DELETE', path: '/x' }, 'allow'],
    [{ principal: '' }, 'allow'],
    [{ tcp: true }, 'allow'],
  ]),
  group('an empty DENY rule denies all', reference, policy('{action: DENY, rules: [{}]}'), [
    [{}, 'deny'],
    [{ tcp: true }, 'deny'],
  ]),
  group('a DENY policy without rules never matches', reference, policy('{action: DENY}'), [
    [{}, 'allow'],
    [{ tcp: true }, 'allow'],
  ]),
  group(
    'ALLOW is the default action',
    reference,
    policy('{rules: [{to: [{operation: {methods: [GET]}}]}]}'),
    [
      [{}, 'allow'],
      [{ method: 'POST' }, 'deny'],
    ],
  ),
  group(
    'DENY is asked before ALLOW',
    reference,
    allow('{}') + deny('{to: [{operation: {paths: ["/admin*"]}}]}'),
    [
      [{ path: '/ip' }, 'allow'],
      [{ path: '/admin' }, 'deny'],
      [{ path: '/admin/users' }, 'deny'],
      [{ path: '/adm' }, 'allow'],
    ],
  ),
  group(
    'a DENY that does not match leaves it to ALLOW',
    'tasks/security/authorization/authz-deny',
    allow('{to: [{operation: {methods: [GET]}}]}') + deny('{to: [{operation: {paths: ["/headers"]}}]}'),
    [
      [{ path: '/ip' }, 'allow'],
      [{ path: '/headers' }, 'deny'],
      [{ method: 'POST', path: '/ip' }, 'deny'],
    ],
  ),
  group('a DENY alone denies nothing else', reference, deny('{to: [{operation: {methods: [POST]}}]}'), [
    [{}, 'allow'],
    [{ method: 'POST' }, 'deny'],
    [{ method: 'PUT' }, 'allow'],
  ]),
  group(
    'several ALLOW policies: any of them',
    'concepts/security',
    allow('{to: [{operation: {methods: [GET]}}]}') +
      policy('{rules: [{to: [{operation: {paths: ["/admin"]}}]}]}', ops),
    [
      [{}, 'allow'],
      [{ method: 'POST', path: '/admin' }, 'allow'],
      [{ method: 'POST', path: '/ip' }, 'deny'],
    ],
  ),
  group(
    'several DENY policies: any of them',
    'concepts/security',
    deny('{to: [{operation: {methods: [POST]}}]}') +
      policy('{action: DENY, rules: [{to: [{operation: {paths: ["/admin"]}}]}]}', ops),
    [
      [{}, 'allow'],
      [{ method: 'POST' }, 'deny'],
      [{ path: '/admin' }, 'deny'],
    ],
  ),
  group(
    'rules of one policy are alternatives',
    reference,
    policy('{rules: [{to: [{operation: {methods: [GET]}}]}, {from: [{source: {namespaces: [ops]}}]}]}'),
    [
      [{}, 'allow'],
      [{ method: 'POST' }, 'deny'],
      [{ method: 'POST', principal: account('ops', 'x') }, 'allow'],
    ],
  ),
  group(
    'from, to and when as separate rules are alternatives, which is rarely meant',
    reference,
    policy(
      '{rules: [{from: [{source: {principals: ["cluster.local/ns/default/sa/admin"]}}]}, {to: [{operation: {methods: [GET], paths: ["/api/users/*"]}}]}, {when: [{key: "request.headers[authorization]", values: ["Bearer*"]}]}]}',
    ),
    [
      [{ path: '/api/users/1' }, 'allow'],
      [{ method: 'DELETE', path: '/api/users/1' }, 'deny'],
      [{ method: 'DELETE', headers: { authorization: 'Bearer x' } }, 'allow'],
      [{ method: 'DELETE', principal: account('default', 'admin') }, 'allow'],
      [{ method: 'DELETE' }, 'deny'],
    ],
  ),
  group('an AUDIT policy decides nothing', reference, policy('{action: AUDIT, rules: [{}]}'), [
    [{}, 'allow'],
    [{ method: 'POST' }, 'allow'],
  ]),
  group(
    'AUDIT beside ALLOW: ALLOW decides',
    reference,
    allow('{to: [{operation: {methods: [GET]}}]}') +
      policy('{action: AUDIT, rules: [{}]}', 'name: audit, namespace: foo'),
    [
      [{}, 'allow'],
      [{ method: 'POST' }, 'deny'],
    ],
  ),
  group(
    'a dry run of a DENY denies nothing',
    'tasks/security/authorization/authz-dry-run',
    policy(
      '{action: DENY, rules: [{to: [{operation: {paths: ["/headers"]}}]}]}',
      'name: p, namespace: foo, annotations: {"istio.io/dry-run": "true"}',
    ),
    [
      [{ path: '/headers' }, 'allow'],
      [{ path: '/ip' }, 'allow'],
    ],
  ),
  group(
    'a dry run of an ALLOW does not deny by default',
    'tasks/security/authorization/authz-dry-run',
    policy(
      '{rules: [{to: [{operation: {paths: ["/ip"]}}]}]}',
      'name: p, namespace: foo, annotations: {"istio.io/dry-run": "true"}',
    ),
    [
      [{ path: '/headers' }, 'allow'],
      [{ path: '/ip' }, 'allow'],
    ],
  ),
  group(
    'a dry run beside enforced policies',
    'tasks/security/authorization/authz-dry-run',
    allow('{to: [{operation: {methods: [GET]}}]}') +
      policy('{rules: [{}]}', 'name: dry, namespace: foo, annotations: {"istio.io/dry-run": "true"}'),
    [
      [{}, 'allow'],
      [{ method: 'POST' }, 'deny'],
    ],
  ),
  group(
    'a dry run that is switched off is enforced',
    'tasks/security/authorization/authz-dry-run',
    policy(
      '{action: DENY, rules: [{}]}',
      'name: p, namespace: foo, annotations: {"istio.io/dry-run": "false"}',
    ),
    [[{}, 'deny']],
  ),
  group(
    'CUSTOM: the provider says yes',
    'tasks/security/authorization/authz-custom',
    policy('{action: CUSTOM, provider: {name: opa}, rules: [{to: [{operation: {paths: ["/headers"]}}]}]}'),
    [
      [{ path: '/headers' }, 'allow'],
      [{ path: '/ip' }, 'allow'],
    ],
    { answers: { opa: true } },
  ),
  group(
    'CUSTOM: the provider says no',
    'tasks/security/authorization/authz-custom',
    policy('{action: CUSTOM, provider: {name: opa}, rules: [{to: [{operation: {paths: ["/headers"]}}]}]}'),
    [
      [{ path: '/headers' }, 'deny'],
      [{ path: '/ip' }, 'allow'],
    ],
    { answers: { opa: false } },
  ),
  group(
    'CUSTOM does not overrule DENY',
    reference,
    policy('{action: CUSTOM, provider: {name: opa}, rules: [{}]}') +
      deny('{to: [{operation: {methods: [POST]}}]}'),
    [
      [{}, 'allow'],
      [{ method: 'POST' }, 'deny'],
    ],
    { answers: { opa: true } },
  ),
  group(
    'CUSTOM does not overrule the default of ALLOW',
    reference,
    policy('{action: CUSTOM, provider: {name: opa}, rules: [{}]}') +
      allow('{to: [{operation: {methods: [GET]}}]}'),
    [
      [{}, 'allow'],
      [{ method: 'POST' }, 'deny'],
    ],
    { answers: { opa: true } },
  ),
  group(
    'ALLOW does not overrule CUSTOM',
    reference,
    policy('{action: CUSTOM, provider: {name: opa}, rules: [{}]}') + allow('{}'),
    [
      [{}, 'deny'],
      [{ method: 'POST' }, 'deny'],
    ],
    { answers: { opa: false } },
  ),
];
