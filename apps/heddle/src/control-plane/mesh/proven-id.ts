import { decodeJson, membersOf } from '@heddle/discovery/clients';
import { type Call, HeddleError } from '@heddle/kernel';
import { accountTokenAudience, isAccountToken } from '@heddle/mesh/plane';
import {
  type BootstrapTokens,
  type CertificateService,
  checkWorkloadProof,
  isWorkloadProof,
  type ProvenRequest,
  readSpiffeId,
  type SpiffeId,
} from '@heddle/security/identity';
import { type HttpRequest, peer } from '@heddle/wire';
import type { RulesScope } from './mesh-rules.ts';
import type { RuleSource } from './rule-source.ts';

const longestBytes = 256 * 1024;

/** A request with its content, as far as it proves who asks. */
export interface Given extends ProvenRequest {
  readonly authorization: string | undefined;
  /** The content, which is a JSON object. */
  readonly members: Readonly<Record<string, unknown>>;
}

/** Reads a request. Rejects with `invalid_argument` for what is no JSON object. */
export async function bodyOf({ method, path, fields, body }: HttpRequest): Promise<Given> {
  const bytes = await body.bytes(longestBytes);
  const members = membersOf(decodeJson(bytes));
  return { method, path, body: bytes, members, authorization: fields.get('authorization') ?? undefined };
}

/** What a proof is held to. */
export interface Provers {
  readonly tokens: BootstrapTokens;
  readonly certificates: CertificateService;
  readonly source: Pick<RuleSource, 'accountOf'>;
  readonly scope: Pick<RulesScope, 'trustDomain'>;
}

/**
 * The workload that asks: by the certificate that its connection has shown, by its bootstrap token, by the token of its
 * service account where the source of the rules has such, or by a signature with the key of the certificate that it has.
 * Rejects with `unauthenticated`, or as the source does when it cannot be asked.
 */
export async function provenId(given: Given, by: Provers, call: Call): Promise<SpiffeId> {
  const { authorization = '' } = given;
  if (!isWorkloadProof(authorization)) return shownId(authorization, call, by);
  const wallMs = call.runtime.clock.wallMs();
  return checkWorkloadProof(authorization, given, { trust: by.certificates.trust, wallMs });
}

/** As `provenId`, for who signs nothing. A token that is shown is held to: it says more than the connection does. */
export async function shownId(authorization: string, call: Call, by: Provers): Promise<SpiffeId> {
  const token = /^bearer (.+)$/i.exec(authorization)?.[1] ?? '';
  const { trustDomain = 'cluster.local' } = by.scope;
  const certified = token === '' ? certifiedId(call, trustDomain) : undefined;
  if (certified !== undefined) return certified;
  if (by.source.accountOf === undefined || !isAccountToken(token)) return by.tokens.check(token);
  const account = await by.source.accountOf(token);
  if (account === undefined) throw notBelieved();
  return { trustDomain, ...account };
}

/** Whose certificate the connection has shown, if it leads to the mesh's own roots and is of this mesh. */
function certifiedId(call: Call, trustDomain: string): SpiffeId | undefined {
  const shown = call.get(peer)?.tls?.certificate;
  const [uri] = shown?.uris ?? [];
  if (shown?.verified !== true || uri === undefined) return undefined;
  const id = readSpiffeId(uri);
  return id.trustDomain === trustDomain ? id : undefined;
}

function notBelieved(): HeddleError {
  const message = `the token is not one of a service account for the audience ${accountTokenAudience}`;
  return new HeddleError({ code: 'unauthenticated', reason: 'BAD_TOKEN', message, sent: false });
}
