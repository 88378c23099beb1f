import type { JsonObject, MessageInitShape } from '@bufbuild/protobuf';
import { type Call, HeddleError } from '@heddle/kernel';
import {
  checkJwtSvid,
  type HeldIdentity,
  type JwtKey,
  type JwtSvid,
  readAudience,
  spiffeUri,
} from '@heddle/security/identity';
import type {
  JWTSVIDRequest,
  JWTSVIDResponseSchema,
  ValidateJWTSVIDRequest,
  ValidateJWTSVIDResponseSchema,
} from '../gen/spiffe/workload_pb.ts';

/** Where the workload's tokens come from. */
export interface WorkloadTokens {
  /** One that is good. Rejects when none can be had. */
  of(audience: readonly string[]): Promise<JwtSvid>;
}

/** A token for whom the request names: the workload has one identity, and no other is given out. */
export async function tokensOf(
  { audience, spiffeId }: JWTSVIDRequest,
  own: string,
  tokens: WorkloadTokens,
): Promise<MessageInitShape<typeof JWTSVIDResponseSchema>> {
  const asked = readAudience(audience);
  if (spiffeId !== '' && spiffeId !== own) {
    const message = `this workload is ${own}: it has no token as another`;
    throw new HeddleError({ code: 'permission_denied', reason: 'FOREIGN_WORKLOAD', message, sent: false });
  }
  const { token } = await tokens.of(asked);
  return { svids: [{ spiffeId: own, svid: token }] };
}

/** The keys of the mesh’s tokens, as a JWK Set. Throws `permission_denied` where its control plane makes none. */
export function jwtBundleOf(held: HeldIdentity): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({ keys: keysOf(held) }));
}

/** Whose token it is and what it says. Throws `invalid_argument` for one that is not good for that audience. */
export function validated(
  { audience, svid }: ValidateJWTSVIDRequest,
  { held, trustDomain }: { readonly held: HeldIdentity; readonly trustDomain: string },
  call: Call,
): MessageInitShape<typeof ValidateJWTSVIDResponseSchema> {
  const rules = { keys: keysOf(held), trustDomain, audience };
  try {
    const { id, claims } = checkJwtSvid(svid, rules, call.runtime.clock.wallMs());
    // What has been read from JSON.
    return { spiffeId: spiffeUri(id), claims: claims as JsonObject };
  } catch (thrown) {
    const { reason, message } = HeddleError.from(thrown);
    throw new HeddleError({ code: 'invalid_argument', reason, message, sent: false });
  }
}

function keysOf({ svid }: HeldIdentity): readonly JwtKey[] {
  if (svid.jwtKeys !== undefined) return svid.jwtKeys;
  const message = 'the control plane of this workload makes no tokens';
  throw new HeddleError({ code: 'permission_denied', reason: 'NO_TOKENS', message, sent: false });
}
