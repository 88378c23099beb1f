import { decodeJson, membersOf } from '@heddle/discovery/clients';
import {
  type BootstrapTokens,
  type CertificateService,
  checkWorkloadProof,
  isWorkloadProof,
  type ProvenRequest,
  type SpiffeId,
} from '@heddle/security/identity';
import type { HttpRequest } from '@heddle/wire';

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

/** The workload that asks, by its bootstrap token or by the certificate that it has. Throws `unauthenticated`. */
export function provenId(
  given: Given,
  by: { readonly tokens: BootstrapTokens; readonly certificates: CertificateService },
  wallMs: number,
): SpiffeId {
  const { authorization = '' } = given;
  if (isWorkloadProof(authorization))
    return checkWorkloadProof(authorization, given, { trust: by.certificates.trust, wallMs });
  return by.tokens.check(/^bearer (.+)$/i.exec(authorization)?.[1] ?? '');
}
