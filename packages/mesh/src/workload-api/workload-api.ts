import { X509Certificate, createPrivateKey } from 'node:crypto';
import { type Call, HeddleError } from '@heddle/kernel';
import type { HeldIdentity } from '@heddle/security/identity';
import type {
  JWTBundlesRequest,
  JWTBundlesResponseSchema,
  JWTSVIDRequest,
  JWTSVIDResponseSchema,
  ValidateJWTSVIDRequest,
  ValidateJWTSVIDResponseSchema,
  X509BundlesRequest,
  X509BundlesResponseSchema,
  X509SVIDRequest,
  X509SVIDResponseSchema,
} from '../gen/spiffe/workload_pb.ts';
import { jwtBundleOf, tokensOf, validated, type WorkloadTokens } from './jwt-profile.ts';
import type { MessageInitShape } from '@bufbuild/protobuf';

/** The header without which no question is answered, so that nobody is made to ask by a forged web request. */
export const workloadHeader = 'workload.spiffe.io';

/** Whose identity is given out. */
export interface WorkloadIdentity {
  /** Throws `failed_precondition` / `NO_IDENTITY` while there is none. */
  readonly held: HeldIdentity;
  onRenewed(listener: (held: HeldIdentity) => void): () => void;
}

/** What the API is made from. */
export interface WorkloadApiOptions {
  /** Of the one workload that the socket is for: whoever may open it is that workload. */
  readonly identity: WorkloadIdentity;
  readonly tokens: WorkloadTokens;
  /** The value of a header of a call. */
  readonly header: (call: Call, name: string) => string | undefined;
}

/** The answers, as `rpcService` takes them for `SpiffeWorkloadAPI`. */
export interface WorkloadApiHandlers {
  fetchX509SVID(
    request: X509SVIDRequest,
    call: Call,
  ): AsyncIterable<MessageInitShape<typeof X509SVIDResponseSchema>>;
  fetchX509Bundles(
    request: X509BundlesRequest,
    call: Call,
  ): AsyncIterable<MessageInitShape<typeof X509BundlesResponseSchema>>;
  fetchJWTSVID(request: JWTSVIDRequest, call: Call): Promise<MessageInitShape<typeof JWTSVIDResponseSchema>>;
  fetchJWTBundles(
    request: JWTBundlesRequest,
    call: Call,
  ): AsyncIterable<MessageInitShape<typeof JWTBundlesResponseSchema>>;
  validateJWTSVID(
    request: ValidateJWTSVIDRequest,
    call: Call,
  ): Promise<MessageInitShape<typeof ValidateJWTSVIDResponseSchema>>;
}

/**
 * The Workload API of SPIFFE: certificate, key and roots at once, and again with each renewal for as long as the caller
 * listens; tokens for an audience, the keys of tokens, and whose a token is. A call without the header is refused with
 * `invalid_argument`, as the specification has it; one before there is a certificate with `permission_denied`, which
 * clients of SPIFFE take for “not yet” and repeat.
 */
export function workloadApi({ identity, tokens, header }: WorkloadApiOptions): WorkloadApiHandlers {
  const checkHeader = (call: Call): void => {
    if (header(call, workloadHeader) !== 'true') throw noHeader();
  };
  const told = <T>(call: Call, say: (held: HeldIdentity) => T): AsyncIterable<T> => {
    checkHeader(call);
    return renewals(identity, call, say);
  };
  return {
    fetchX509SVID: (_request, call) => told(call, (held) => ({ svids: [svidOf(held)] })),
    fetchX509Bundles: (_request, call) => told(call, (held) => ({ bundles: byDomain(held, bundleOf(held)) })),
    fetchJWTSVID: async (request, call) => {
      checkHeader(call);
      return tokensOf(request, uriOf(heldNow(identity)), tokens);
    },
    fetchJWTBundles: (_request, call) =>
      told(call, (held) => ({ bundles: byDomain(held, jwtBundleOf(held)) })),
    validateJWTSVID: async (request, call) => {
      checkHeader(call);
      const held = heldNow(identity);
      return validated(request, { held, trustDomain: trustDomainOf(uriOf(held)) }, call);
    },
  };
}

function byDomain<T>(held: HeldIdentity, bundle: T): Readonly<Record<string, T>> {
  return { [`spiffe://${trustDomainOf(uriOf(held))}`]: bundle };
}

async function* renewals<T>(
  identity: WorkloadIdentity,
  call: Call,
  say: (held: HeldIdentity) => T,
): AsyncIterable<T> {
  // Conflated: whoever reads slowly gets the newest, not all between.
  let newest: HeldIdentity | undefined = heldNow(identity);
  let wake: () => void = () => {};
  const unlisten = identity.onRenewed((held) => {
    newest = held;
    wake();
  });
  const stopListening = (): void => wake();
  call.signal.addEventListener('abort', stopListening);
  try {
    while (call.cancelled === undefined) {
      if (newest === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const held = newest;
      newest = undefined;
      yield say(held);
    }
  } finally {
    call.signal.removeEventListener('abort', stopListening);
    unlisten();
  }
}

function heldNow(identity: WorkloadIdentity): HeldIdentity {
  try {
    return identity.held;
  } catch (thrown) {
    const { message } = HeddleError.from(thrown);
    throw new HeddleError({ code: 'permission_denied', reason: 'NO_IDENTITY', message, sent: false });
  }
}

function svidOf(
  held: HeldIdentity,
): NonNullable<MessageInitShape<typeof X509SVIDResponseSchema>['svids']>[number] {
  return {
    spiffeId: uriOf(held),
    x509Svid: derOf(held.svid.certificates),
    x509SvidKey: createPrivateKey(held.privateKey).export({ type: 'pkcs8', format: 'der' }),
    bundle: bundleOf(held),
  };
}

function bundleOf(held: HeldIdentity): Uint8Array<ArrayBuffer> {
  return derOf(held.svid.trust);
}

function uriOf({ svid }: HeldIdentity): string {
  return new X509Certificate(svid.certificates).subjectAltName?.replace(/^URI:/, '') ?? '';
}

function trustDomainOf(uri: string): string {
  return uri.split('/')[2] ?? '';
}

/** Each certificate of a text, one after the other. */
function derOf(pem: string): Uint8Array<ArrayBuffer> {
  const all = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return new Uint8Array(Buffer.concat(all.map((each) => new X509Certificate(each).raw)));
}

function noHeader(): HeddleError {
  const message = `expected the header ${workloadHeader}: true, which every client of SPIFFE’s Workload API sends`;
  return new HeddleError({ code: 'invalid_argument', reason: 'NO_WORKLOAD_HEADER', message, sent: false });
}
