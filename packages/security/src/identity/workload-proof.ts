import { createHash, createPrivateKey, sign, verify, X509Certificate } from 'node:crypto';
import { HeddleError } from '@heddle/kernel';
import { unauthenticated } from '../identity.ts';
import type { HeldIdentity } from './kept-identity.ts';
import { readSpiffeId, type SpiffeId } from './spiffe-id.ts';

/** What a proof is about: it is good for nothing else. */
export interface ProvenRequest {
  readonly method: string;
  readonly path: string;
  readonly body: Uint8Array;
}

const scheme = 'Workload';
/** Clocks may be so far apart, and a proof may be on its way so long. */
const goodForMs = 60_000;
const longestChain = 5;

/**
 * The value of `authorization` by which a workload shows with its certificate who asks, where no TLS does: its chain, and
 * a signature over the request and the time. Whoever sees it can at most repeat the very request, for a minute.
 */
export function workloadProof(held: HeldIdentity, request: ProvenRequest, wallMs: number): string {
  const key = createPrivateKey(held.privateKey);
  const signature = sign('sha256', statement(request, wallMs), key).toString('base64url');
  const proof = { certificates: held.svid.certificates, atMs: wallMs, signature };
  return `${scheme} ${Buffer.from(JSON.stringify(proof)).toString('base64url')}`;
}

/** Whether a value of `authorization` is such a proof, good or not. */
export function isWorkloadProof(authorization: string): boolean {
  return authorization.startsWith(`${scheme} `);
}

/**
 * Who has made it. `trust`: PEM of the roots that are believed. Throws `unauthenticated`: `BAD_PROOF`, or `PROOF_EXPIRED`
 * for one of another time.
 */
export function checkWorkloadProof(
  authorization: string,
  request: ProvenRequest,
  { trust, wallMs }: { readonly trust: string; readonly wallMs: number },
): SpiffeId {
  const { certificates, atMs, signature } = proofIn(authorization);
  if (Math.abs(wallMs - atMs) > goodForMs)
    throw unauthenticated('PROOF_EXPIRED', 'the proof of the workload was made at another time than now');
  try {
    const chain = certificatesIn(certificates);
    const [leaf] = chain;
    if (leaf === undefined || !isBelieved(chain, certificatesIn(trust), wallMs)) throw bad();
    if (!verify('sha256', statement(request, atMs), leaf.publicKey, Buffer.from(signature, 'base64url')))
      throw bad();
    // One name and no other.
    return readSpiffeId(/^URI:([^,]+)$/.exec(leaf.subjectAltName ?? '')?.[1] ?? '');
  } catch (thrown) {
    // What OpenSSL says of bytes from outside is of no use to who sent them.
    throw thrown instanceof HeddleError ? thrown : bad();
  }
}

function proofIn(authorization: string): {
  readonly certificates: string;
  readonly atMs: number;
  readonly signature: string;
} {
  try {
    const text = Buffer.from(authorization.slice(scheme.length + 1), 'base64url').toString();
    const { certificates, atMs, signature } = JSON.parse(text) as Partial<Record<string, unknown>>;
    if (typeof certificates === 'string' && typeof atMs === 'number' && typeof signature === 'string')
      return { certificates, atMs, signature };
  } catch {
    // As any other that is none.
  }
  throw bad();
}

/** From the leaf, each is signed by the next, and the last by a root; all are of now, and only authorities sign. */
function isBelieved(
  chain: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  wallMs: number,
): boolean {
  if (chain.length > longestChain || chain.some((each) => !isOfNow(each, wallMs))) return false;
  for (const [at, certificate] of chain.entries()) {
    const isSignedBy = (issuer: X509Certificate): boolean =>
      issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
    if (roots.some((root) => isOfNow(root, wallMs) && isSignedBy(root))) return true;
    const next = chain[at + 1];
    if (next === undefined || !isSignedBy(next)) return false;
  }
  return false;
}

function isOfNow({ validFromDate, validToDate }: X509Certificate, wallMs: number): boolean {
  return validFromDate.getTime() <= wallMs && wallMs < validToDate.getTime();
}

function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

function statement({ method, path, body }: ProvenRequest, atMs: number): Uint8Array {
  const digest = createHash('sha256').update(body).digest('base64url');
  return Buffer.from(`heddle workload proof\n${method}\n${path}\n${atMs}\n${digest}`);
}

function bad(): HeddleError {
  return unauthenticated('BAD_PROOF', 'the proof of the workload is not one of this mesh');
}
