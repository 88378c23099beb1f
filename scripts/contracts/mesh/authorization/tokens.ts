// RequestAuthentication and what AuthorizationPolicies ask about tokens.
import { type CaseGroup, type CaseToken, deny, allow, group } from './case.ts';

/** Who signs the tokens of the tables. */
export const issuer = 'testing@secure.istio.io';
const page = 'tasks/security/authorization/authz-jwt';

const authentication = (rule = '', metadata = 'name: jwt, namespace: foo'): string =>
  `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {${metadata}}
spec: {selector: {matchLabels: {app: httpbin}}, jwtRules: [{issuer: "${issuer}", jwks: '{jwks}'${rule}}]}
---
`;

const token = (claims: Readonly<Record<string, unknown>> = {}): CaseToken => ({
  claims: { iss: issuer, sub: issuer, ...claims },
});
const who = (values: string): string => allow(`{from: [{source: {requestPrincipals: [${values}]}}]}`);
const claim = (key: string, rest: string): string =>
  authentication() + allow(`{when: [{key: "request.auth.claims${key}", ${rest}}]}`);

/** Groups about tokens. */
export const tokens: readonly CaseGroup[] = [
  group('RequestAuthentication alone refuses bad tokens only', page, authentication(), [
    [{}, 'allow'],
    [{ token: token() }, 'allow'],
    [{ token: { ...token(), wrong: 'signature' } }, 'unauthenticated'],
    [{ token: { ...token(), wrong: 'expired' } }, 'unauthenticated'],
    [{ token: { ...token(), wrong: 'garbled' } }, 'unauthenticated'],
    [{ token: { claims: { iss: 'someone else', sub: 'x' } } }, 'unauthenticated'],
  ]),
  group('a token is demanded by a policy', page, authentication() + who(`"${issuer}/${issuer}"`), [
    [{ token: token() }, 'allow'],
    [{}, 'deny'],
    [{ token: token({ sub: 'other' }) }, 'deny'],
    [{ token: { ...token(), wrong: 'signature' } }, 'unauthenticated'],
  ]),
  group('any token', page, authentication() + who('"*"'), [
    [{ token: token() }, 'allow'],
    [{}, 'deny'],
  ]),
  group(
    'requests without a token are denied',
    'tasks/security/authentication/authn-policy',
    authentication() + deny('{from: [{source: {notRequestPrincipals: ["*"]}}]}'),
    [
      [{ token: token() }, 'allow'],
      [{}, 'deny'],
    ],
  ),
  group(
    'tokens are demanded for some paths',
    'tasks/security/authentication/authn-policy',
    authentication() +
      deny('{from: [{source: {notRequestPrincipals: ["*"]}}], to: [{operation: {paths: ["/headers"]}}]}'),
    [
      [{ path: '/headers' }, 'deny'],
      [{ path: '/headers', token: token() }, 'allow'],
      [{ path: '/ip' }, 'allow'],
    ],
  ),
  group('a principal by its issuer', page, authentication() + who(`"${issuer}/*"`), [
    [{ token: token({ sub: 'anybody' }) }, 'allow'],
    [{}, 'deny'],
  ]),
  group('a principal by its subject', page, authentication() + who('"*/alice"'), [
    [{ token: token({ sub: 'alice' }) }, 'allow'],
    [{ token: token({ sub: 'malice' }) }, 'deny'],
  ]),
  group('a subject by its beginning', page, authentication() + who(`"${issuer}/ali*"`), [
    [{ token: token({ sub: 'alice' }) }, 'allow'],
    [{ token: token({ sub: 'bob' }) }, 'deny'],
  ]),
  group('without RequestAuthentication a token says nothing', page, who('"*"'), [
    [{ token: token() }, 'deny'],
  ]),
  group('a claim that is a text', page, claim('[role]', 'values: [admin]'), [
    [{ token: token({ role: 'admin' }) }, 'allow'],
    [{ token: token({ role: 'user' }) }, 'deny'],
    [{ token: token() }, 'deny'],
    [{}, 'deny'],
  ]),
  group('a claim that is a list', page, claim('[groups]', 'values: [group1]'), [
    [{ token: token({ groups: ['group1', 'group2'] }) }, 'allow'],
    [{ token: token({ groups: ['group2'] }) }, 'deny'],
    [{ token: token({ groups: [] }) }, 'deny'],
  ]),
  group('a claim within a claim', page, claim('[realm][roles]', 'values: ["ops*"]'), [
    [{ token: token({ realm: { roles: ['ops-eu'] } }) }, 'allow'],
    [{ token: token({ realm: { roles: ['dev'] } }) }, 'deny'],
    [{ token: token({ realm: 'ops' }) }, 'deny'],
  ]),
  group('a scope is a list by blanks', page, claim('[scope]', 'values: [write]'), [
    [{ token: token({ scope: 'read write' }) }, 'allow'],
    [{ token: token({ scope: 'read' }) }, 'deny'],
    [{ token: token({ scope: 'readwrite' }) }, 'deny'],
  ]),
  group('notValues of a claim also means those without it', page, claim('[role]', 'notValues: [guest]'), [
    [{ token: token({ role: 'admin' }) }, 'allow'],
    [{ token: token({ role: 'guest' }) }, 'deny'],
    [{ token: token() }, 'allow'],
    [{}, 'allow'],
  ]),
  group('the issuer as a claim', page, claim('[iss]', `values: ["${issuer}"]`), [
    [{ token: token() }, 'allow'],
    [{}, 'deny'],
  ]),
  group(
    'request.auth.principal',
    'reference/config/security/conditions',
    authentication() + allow(`{when: [{key: request.auth.principal, values: ["${issuer}/alice"]}]}`),
    [
      [{ token: token({ sub: 'alice' }) }, 'allow'],
      [{ token: token({ sub: 'bob' }) }, 'deny'],
    ],
  ),
  group(
    'request.auth.audiences',
    'reference/config/security/conditions',
    authentication() + allow('{when: [{key: request.auth.audiences, values: ["shop"]}]}'),
    [
      [{ token: token({ aud: 'shop' }) }, 'allow'],
      [{ token: token({ aud: ['bank', 'shop'] }) }, 'allow'],
      [{ token: token({ aud: 'bank' }) }, 'deny'],
    ],
  ),
  group(
    'request.auth.presenter',
    'reference/config/security/conditions',
    authentication() + allow('{when: [{key: request.auth.presenter, values: ["app-1"]}]}'),
    [
      [{ token: token({ azp: 'app-1' }) }, 'allow'],
      [{ token: token({ azp: 'app-2' }) }, 'deny'],
    ],
  ),
  group('audiences of a rule', 'reference/config/security/jwt', authentication(', audiences: [shop, bank]'), [
    [{ token: token({ aud: 'shop' }) }, 'allow'],
    [{ token: token({ aud: ['x', 'bank'] }) }, 'allow'],
    [{ token: token({ aud: 'x' }) }, 'deny'],
    [{ token: token() }, 'deny'],
  ]),
  group(
    'a token in a header of its own',
    'reference/config/security/jwt',
    authentication(', fromHeaders: [{name: x-jwt, prefix: "T "}]') + who('"*"'),
    [
      [{ token: { ...token(), in: { header: 'x-jwt', prefix: 'T ' } } }, 'allow'],
      [{ token: token() }, 'deny'],
      [{ token: { ...token(), wrong: 'signature' } }, 'deny'],
    ],
  ),
  group(
    'a token in a parameter',
    'reference/config/security/jwt',
    authentication(', fromParams: [jwt]') + who('"*"'),
    [
      [{ token: { ...token(), in: { query: 'jwt' } } }, 'allow'],
      [{ token: { ...token(), in: { query: 'access_token' } } }, 'deny'],
    ],
  ),
  group('a token in the usual parameter', 'reference/config/security/jwt', authentication() + who('"*"'), [
    [{ token: { ...token(), in: { query: 'access_token' } } }, 'allow'],
  ]),
  group(
    'RequestAuthentication of another namespace',
    'reference/config/security/request_authentication',
    authentication('', 'name: jwt, namespace: bar'),
    [[{ token: { ...token(), wrong: 'signature' } }, 'allow']],
  ),
  group(
    'RequestAuthentication of the root namespace',
    'reference/config/security/request_authentication',
    authentication('', 'name: jwt, namespace: istio-system'),
    [
      [{ token: { ...token(), wrong: 'signature' } }, 'unauthenticated'],
      [{ token: token() }, 'allow'],
    ],
  ),
];
