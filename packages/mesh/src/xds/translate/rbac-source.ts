import type { CidrRangeSchema } from '../../gen/envoy/config/core/v3/address_pb.ts';
import type { MetadataMatcherSchema } from '../../gen/envoy/type/matcher/v3/metadata_pb.ts';
import type { StringMatcherSchema } from '../../gen/envoy/type/matcher/v3/string_pb.ts';
import type { PolicySource } from '../../model/policy.ts';
import type { Init } from './message.ts';
import { anyPrincipal, type Principal, principalsAmong } from './rbac-parts.ts';
import { escaped, policyText, regex } from './rbac-text.ts';

/** All that a source says must hold. */
export function sourcePrincipal(source: PolicySource): Principal {
  const ids = [
    ...principalsAmong(source.principals, peerPrincipal),
    ...principalsAmong(source.requestPrincipals, requestPrincipal),
    ...principalsAmong(source.namespaces, namespacePrincipal),
    ...principalsAmong(source.serviceAccounts, accountPrincipal),
    ...principalsAmong(source.trustDomains, trustDomainPrincipal),
    ...principalsAmong(source.ipBlocks, peerAddress),
    ...principalsAmong(source.remoteIpBlocks, remoteAddress),
  ];
  return ids.length === 0 ? anyPrincipal : { identifier: { case: 'andIds', value: { ids } } };
}

/** `cluster.local/ns/shop/sa/order`: who has proved so by certificate. */
export function peerPrincipal(value: string): Principal {
  return authenticated(policyText(value, 'spiffe://'));
}

/** The namespace in the certificate. */
export function namespacePrincipal(value: string): Principal {
  return authenticated(regex(`.*/ns/${wild(value, '[^/]*')}/.*`));
}

/** `namespace/name`, or a name alone for any namespace. */
export function accountPrincipal(value: string): Principal {
  const [first = '', second] = value.split('/');
  const [namespace, account] = second === undefined ? ['[^/]+', first] : [wild(first, '[^/]*'), second];
  return authenticated(regex(`.*/ns/${namespace}/sa/${wild(account, '.*')}`));
}

/** `issuer/subject` of the token: the issuer goes to the last slash. */
export function requestPrincipal(value: string): Principal {
  if (value === '*') return token(['sub'], regex('.+'));
  const slash = value.lastIndexOf('/');
  if (value.endsWith('*')) {
    const text = value.slice(0, -1);
    if (slash < 0) return token(['iss'], { matchPattern: { case: 'prefix', value: text } });
    return both(
      token(['iss'], exact(value.slice(0, slash))),
      token(['sub'], policyText(value.slice(slash + 1))),
    );
  }
  if (value.startsWith('*')) {
    if (slash < 0) return token(['sub'], policyText(value));
    return both(
      token(['iss'], policyText(value.slice(0, slash))),
      token(['sub'], exact(value.slice(slash + 1))),
    );
  }
  return both(token(['iss'], exact(value.slice(0, slash))), token(['sub'], exact(value.slice(slash + 1))));
}

/** The peer's own address. */
export function peerAddress(value: string): Principal {
  return { identifier: { case: 'directRemoteIp', value: addressRange(value) } };
}

/** The address that the request is said to come from. */
export function remoteAddress(value: string): Principal {
  return { identifier: { case: 'remoteIp', value: addressRange(value) } };
}

/** A claim of the token that was checked, by its path. A list holds if one of its members does. */
export function token(path: readonly string[], value: Init<typeof StringMatcherSchema>): Principal {
  const matcher = (asList: boolean): Init<typeof MetadataMatcherSchema> => ({
    filter: jwtFilter,
    path: [jwtPayload, ...path].map((key) => ({ segment: { case: 'key', value: key } })),
    value: asList
      ? {
          matchPattern: {
            case: 'listMatch',
            value: {
              matchPattern: {
                case: 'oneOf',
                value: { matchPattern: { case: 'stringMatch', value } },
              },
            },
          },
        }
      : { matchPattern: { case: 'stringMatch', value } },
  });
  const ids = [false, true].map(
    (asList): Principal => ({ identifier: { case: 'metadata', value: matcher(asList) } }),
  );
  return { identifier: { case: 'orIds', value: { ids } } };
}

/** Where the JWT filter leaves what it has found, for the filters behind it. */
export const jwtFilter = 'envoy.filters.http.jwt_authn';
/** The key of the token's claims there. */
export const jwtPayload = 'payload';

/** `10.0.0.0/8`, or one address. */
export function addressRange(value: string): Init<typeof CidrRangeSchema> {
  const [addressPrefix = '', length] = value.split('/');
  return { addressPrefix, prefixLen: Number(length ?? (value.includes(':') ? 128 : 32)) };
}

function trustDomainPrincipal(value: string): Principal {
  return authenticated(regex(`spiffe://${wild(value, '[^/]*')}/.*`));
}

function authenticated(principalName: Init<typeof StringMatcherSchema>): Principal {
  return { identifier: { case: 'authenticated', value: { principalName } } };
}

function exact(value: string): Init<typeof StringMatcherSchema> {
  return { matchPattern: { case: 'exact', value } };
}

function both(...ids: Principal[]): Principal {
  return { identifier: { case: 'andIds', value: { ids } } };
}

function wild(value: string, any: string): string {
  return value.split('*').map(escaped).join(any);
}
