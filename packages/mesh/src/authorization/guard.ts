import { type Call, HeddleError, type Layer } from '@heddle/kernel';
import { type KeySource, verifySignature } from '@heddle/security';
import { type HttpRequest, type HttpResponse, peer } from '@heddle/wire';
import type { JwtRule, MeshPolicy, MtlsMode } from '../model/index.ts';
import { authorization, type Verdict } from './authorization.ts';
import type { AuthorizationRequest, TokenClaims } from './request.ts';
import { type BelievedToken, saidFields, withTokenFields } from './token-fields.ts';
import {
  claimsUnder,
  findTokens,
  type FoundToken,
  keyIdOf,
  type TokenProblem,
  unverifiedClaims,
} from './tokens.ts';

/** Asks the provider of a CUSTOM policy whether a request may pass. A rejection is a no. */
export type AskProvider = (provider: string, request: HttpRequest, call: Call) => Promise<boolean>;

/** What a guard enforces at one port of a workload. */
export interface GuardOptions {
  readonly policies: readonly MeshPolicy[];
  readonly jwt: readonly JwtRule[];
  readonly mtls: MtlsMode;
  /** What policies call `destination.port` and `destination.ip`; no policy about the address matches without it. */
  readonly port: number;
  readonly ip?: string;
  /** The keys of a rule's issuer. */
  readonly keysOf: (rule: JwtRule) => KeySource;
  /** Without it every request that a CUSTOM policy matches is refused. */
  readonly ask?: AskProvider;
  /** The client's address where trusted proxies name it; without it, and where it gives none, the peer's. */
  readonly clientAddress?: (call: Call) => string | undefined;
  /** Hears of each verdict, also of AUDIT and dry run. Must not throw. */
  readonly onVerdict?: (verdict: Verdict, request: HttpRequest, call: Call) => void;
}

/**
 * Lets those requests through that PeerAuthentication, RequestAuthentication and AuthorizationPolicy let through, in
 * this order. Rejects with `unauthenticated` (plaintext where mTLS is demanded, a bad token) or `permission_denied`.
 * The caller's identity is that of the verified certificate of the connection, never that of a field. What a token says
 * goes on in the fields that its rule names, and the token itself only where the rule forwards it.
 */
export function guard(options: GuardOptions): Layer<HttpRequest, HttpResponse> {
  const rules = authorization(options.policies);
  const said = saidFields(options.jwt);
  return (next) => async (request, call) => {
    const principal = principalOf(call);
    if (options.mtls === 'strict' && principal === '')
      throw refused('MTLS_REQUIRED', 'this port takes mutual TLS only');
    const token = options.jwt.length === 0 ? undefined : await verifiedToken(options, request, call);
    const facts = factsOf(options, request, call, principal, token?.claims);
    const verdict = rules.decide(facts, await answersOf(rules.toAsk(facts), options, request, call));
    options.onVerdict?.(verdict, request, call);
    if (!verdict.allowed) throw denied();
    return next(options.jwt.length === 0 ? request : withTokenFields(request, said, token), call);
  };
}

/** The SPIFFE ID of the peer’s verified certificate, without its scheme; empty for any other peer. */
export function principalOf(call: Call): string {
  const certificate = call.get(peer)?.tls?.certificate;
  if (certificate === undefined || !certificate.verified) return '';
  const ids = certificate.uris.filter((uri) => uri.startsWith('spiffe://'));
  return ids.length === 1 ? (ids[0]?.slice('spiffe://'.length) ?? '') : '';
}

function factsOf(
  { port, ip = '', clientAddress }: GuardOptions,
  { method, path, authority, fields }: HttpRequest,
  call: Call,
  principal: string,
  token: TokenClaims | undefined,
): AuthorizationRequest {
  const at = call.get(peer);
  const sourceIp = at?.address.host ?? '';
  const header = (name: string): string | undefined => {
    const all = fields.all(name);
    return all.length === 0 ? undefined : all.join(',');
  };
  return {
    principal,
    sourceIp,
    remoteIp: clientAddress?.(call) ?? sourceIp,
    destinationIp: ip,
    destinationPort: port,
    sni: at?.tls?.serverName ?? '',
    http: { method, path: normalPath(path), host: authority, header, ...(token !== undefined && { token }) },
  };
}

/** `.` and `..` are resolved and `\` is `/`, as Istio's default normalisation does, so that no rule is walked around. */
export function normalPath(path: string): string {
  const end = path.search(/[?#]/);
  const [plain, rest] = end < 0 ? [path, ''] : [path.slice(0, end), path.slice(end)];
  const unreserved = plain.replaceAll(/%2e/gi, '.').replaceAll('\\', '/');
  const kept: string[] = [];
  const segments = unreserved.split('/');
  for (const [at, segment] of segments.entries()) {
    const last = at === segments.length - 1;
    if (segment === '..' && kept.length > 1) kept.pop();
    if (segment !== '.' && segment !== '..') kept.push(segment);
    else if (last) kept.push('');
  }
  return kept.join('/') + rest;
}

async function answersOf(
  providers: readonly string[],
  { ask }: GuardOptions,
  request: HttpRequest,
  call: Call,
): Promise<ReadonlyMap<string, boolean> | undefined> {
  if (providers.length === 0 || ask === undefined) return undefined;
  const answers = await Promise.all(
    providers.map(async (provider) => {
      const said = await ask(provider, request, call).catch(() => false);
      return [provider, said] as const;
    }),
  );
  return new Map(answers);
}

/** The token that one of the rules takes; undefined where there is none. Rejects where none is taken. */
async function verifiedToken(
  options: GuardOptions,
  { fields, path }: HttpRequest,
  call: Call,
): Promise<BelievedToken | undefined> {
  const found = findTokens(options.jwt, { header: (name) => fields.get(name), path });
  let problem: TokenProblem | undefined;
  for (const token of found) {
    const judged = await judge(token, options, call.runtime.clock.wallMs());
    if (typeof judged === 'object') return judged;
    // What is nearest to being right is told: a token of an issuer that is known has been looked at further.
    if (problem === undefined || problem === 'unknown-issuer') problem = judged;
  }
  if (problem === undefined) return undefined;
  if (problem === 'audience') throw denied('the token is not meant for this service');
  throw refused('BAD_TOKEN', `the token is not taken: ${problem}`);
}

async function judge(
  found: FoundToken,
  { keysOf }: GuardOptions,
  wallMs: number,
): Promise<BelievedToken | TokenProblem> {
  const { raw, rules } = found;
  const claims = unverifiedClaims(raw);
  if (claims === undefined) return 'malformed';
  let problem: TokenProblem = 'unknown-issuer';
  for (const rule of rules) {
    const judged = claimsUnder(rule, claims, wallMs);
    if (typeof judged === 'string') {
      if (judged !== 'unknown-issuer') problem = judged;
      continue;
    }
    const keys = await keysOf(rule).keysFor(keyIdOf(raw));
    if (verifySignature(raw, keys)) return { claims: judged, rule, found };
    problem = 'signature';
  }
  return problem;
}

// Which policy it was is told to whoever listens to verdicts, not to the caller.
function denied(message = 'RBAC: access denied'): HeddleError {
  return new HeddleError({ code: 'permission_denied', reason: 'RBAC_DENIED', message, sent: false });
}

function refused(reason: string, message: string): HeddleError {
  return new HeddleError({ code: 'unauthenticated', reason, message, sent: false });
}
