import type { Any } from '@bufbuild/protobuf/wkt';
import {
  JwtAuthenticationSchema,
  type JwtProviderSchema,
  type JwtRequirementSchema,
} from '../../gen/envoy/extensions/filters/http/jwt_authn/v3/config_pb.ts';
import type { JwtRule } from '../../model/policy.ts';
import { any, type Init } from './message.ts';
import { jwtPayload } from './rbac-source.ts';

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

/** A rule whose keys are not known (yet) believes nobody: an empty set, which no token verifies against. */
function keysOf({
  jwks = '{"keys":[]}',
}: JwtRule): NonNullable<Init<typeof JwtProviderSchema>['jwksSourceSpecifier']> {
  return { case: 'localJwks', value: { specifier: { case: 'inlineString', value: jwks } } };
}
