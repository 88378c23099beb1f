import type { Any } from '@bufbuild/protobuf/wkt';
import {
  JwtAuthenticationSchema,
  type JwtProviderSchema,
  type JwtRequirementSchema,
} from '../../gen/envoy/extensions/filters/http/jwt_authn/v3/config_pb.ts';
import type { JwtRule } from '../../model/policy.ts';
import { any, duration, type Init } from './message.ts';
import { jwtPayload } from './rbac-source.ts';

/** The cluster that a key set is fetched from. */
export function jwksCluster(uri: string): string {
  const { hostname, port, protocol } = new URL(uri);
  return `jwks|${port === '' ? (protocol === 'https:' ? 443 : 80) : port}||${hostname}`;
}

/**
 * The JWT filter. A request without a token passes, as RequestAuthentication has it; one whose token is of none of the
 * issuers, or does not hold, does not. What a token says is left for the policies behind.
 */
export function jwtFilterConfig(rules: readonly JwtRule[]): Any {
  const providers = Object.fromEntries(rules.map((rule, at) => [`${at}`, provider(rule)]));
  const requirements = rules.map(
    (_, at): Init<typeof JwtRequirementSchema> => ({
      requiresType: { case: 'providerName', value: `${at}` },
    }),
  );
  const missing: Init<typeof JwtRequirementSchema> = { requiresType: { case: 'allowMissing', value: {} } };
  return any(JwtAuthenticationSchema, {
    providers,
    rules: [
      {
        match: { pathSpecifier: { case: 'prefix', value: '/' } },
        requirementType: {
          case: 'requires',
          value: {
            requiresType: { case: 'requiresAny', value: { requirements: [...requirements, missing] } },
          },
        },
      },
    ],
  });
}

/** Claims that are lists by blanks in every token. */
const lists = ['scope', 'permission'];

function provider(rule: JwtRule): Init<typeof JwtProviderSchema> {
  const inHeaders = rule.from.filter((place) => place.in === 'header');
  return {
    issuer: rule.issuer,
    audiences: [...rule.audiences],
    jwksSourceSpecifier: keysOf(rule),
    forward: rule.forwardOriginalToken,
    payloadInMetadata: jwtPayload,
    normalizePayloadInMetadata: { spaceDelimitedClaims: [...lists, ...(rule.spaceDelimitedClaims ?? [])] },
    fromHeaders: inHeaders.map(({ name, prefix }) => ({ name, valuePrefix: prefix })),
    fromParams: rule.from.filter((place) => place.in === 'query').map(({ name }) => name),
    fromCookies: rule.from.filter((place) => place.in === 'cookie').map(({ name }) => name),
    ...(rule.outputPayloadToHeader !== undefined && { forwardPayloadHeader: rule.outputPayloadToHeader }),
    claimToHeaders: rule.claimsToHeaders.map(({ header, claim }) => ({
      headerName: header,
      claimName: claim,
    })),
  };
}

function keysOf({
  jwks,
  jwksUri = '',
}: JwtRule): NonNullable<Init<typeof JwtProviderSchema>['jwksSourceSpecifier']> {
  if (jwks !== undefined)
    return { case: 'localJwks', value: { specifier: { case: 'inlineString', value: jwks } } };
  return {
    case: 'remoteJwks',
    value: {
      httpUri: {
        uri: jwksUri,
        httpUpstreamType: { case: 'cluster', value: jwksCluster(jwksUri) },
        timeout: duration(5000),
      },
      cacheDuration: duration(300_000),
    },
  };
}
