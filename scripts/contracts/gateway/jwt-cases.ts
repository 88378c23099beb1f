// Tokens as attackers make them, each with a real signature where it can have one.
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** A token, and whether it may be accepted. */
export interface TokenCase {
  readonly name: string;
  readonly token: string;
  readonly accepted: boolean;
}

export const issuer = 'https://id.test';
export const audience = 'shop';

/** The issuer's keys. `other` is of somebody else. */
export interface Keys {
  readonly rsa: Pair;
  readonly ec: Pair;
  readonly ed: Pair;
  readonly other: Pair;
}

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export function makeKeys(): Keys {
  return {
    rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    ed: generateKeyPairSync('ed25519'),
    other: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  };
}

const part = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

type Parts = Record<string, unknown>;
type Signer = (input: string) => Buffer;

const rs256 =
  ({ privateKey }: Pair): Signer =>
  (input) =>
    sign('sha256', Buffer.from(input), privateKey);
const hs256 =
  (secret: string | Buffer): Signer =>
  (input) =>
    createHmac('sha256', secret).update(input).digest();
const ps256 =
  ({ privateKey }: Pair): Signer =>
  (input) =>
    sign('sha256', Buffer.from(input), { key: privateKey, padding: 6, saltLength: 32 });
const es256 =
  ({ privateKey }: Pair, dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363'): Signer =>
  (input) =>
    sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding });
const eddsa =
  ({ privateKey }: Pair): Signer =>
  (input) =>
    sign(null, Buffer.from(input), privateKey);

function made(header: Parts | string, claims: Parts | string, signer: Signer): string {
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${signer(input).toString('base64url')}`;
}

/** What the cases are made with. */
interface Maker {
  readonly keys: Keys;
  readonly now: number;
  readonly claims: Parts;
  readonly head: Parts;
  readonly good: Signer;
  readonly accept: (name: string, token: string) => void;
  readonly refuse: (name: string, token: string) => void;
  readonly refuseHead: (name: string, more: Parts) => void;
  readonly refuseClaims: (name: string, more: Parts) => void;
}

/** All cases, by those keys, at that time. */
export function tokenCases(keys: Keys, wallMs: number): TokenCase[] {
  const now = Math.floor(wallMs / 1000);
  const claims = { iss: issuer, aud: audience, sub: 'ann', iat: now, exp: now + 600 };
  const head = { alg: 'RS256', kid: 'rsa' };
  const good = rs256(keys.rsa);
  const cases: TokenCase[] = [];
  const refuse = (name: string, token: string): void => void cases.push({ name, token, accepted: false });
  const maker: Maker = {
    keys,
    now,
    claims,
    head,
    good,
    accept: (name, token) => void cases.push({ name, token, accepted: true }),
    refuse,
    refuseHead: (name, more) => refuse(name, made({ ...head, ...more }, claims, good)),
    refuseClaims: (name, more) => refuse(name, made(head, { ...claims, ...more }, good)),
  };
  byAlgorithm(maker);
  byHeader(maker);
  byClaims(maker);
  byShape(maker);
  return cases;
}

function byAlgorithm({ keys, now, claims, head, good, accept, refuse, refuseHead }: Maker): void {
  accept('RS256', made(head, claims, good));
  accept('PS256 by the same key', made({ ...head, alg: 'PS256' }, claims, ps256(keys.rsa)));
  accept('ES256', made({ alg: 'ES256', kid: 'ec' }, claims, es256(keys.ec)));
  accept('EdDSA', made({ alg: 'EdDSA', kid: 'ed' }, claims, eddsa(keys.ed)));
  accept('without "kid"', made({ alg: 'ES256' }, claims, es256(keys.ec)));
  accept('typ JWT', made({ ...head, typ: 'JWT' }, claims, good));
  accept('typ at+jwt', made({ ...head, typ: 'at+jwt' }, claims, good));
  accept('several audiences', made(head, { ...claims, aud: ['x', audience] }, good));
  accept('expired within the skew', made(head, { ...claims, exp: now - 10 }, good));

  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', 'HS256', 'RS1', 'ES256K', 'A128KW', 'dir'])
    refuse(`alg "${alg}" without signature`, `${part({ alg, kid: 'rsa' })}.${part(claims)}.`);
  for (const alg of ['none', 'None', 'rs256', 'RS256 ', 'toString', '__proto__'])
    refuseHead(`alg "${alg}" with a signature of RS256`, { alg });
  refuseHead('alg is a list', { alg: ['RS256'] });
  refuse('no alg', made({ kid: 'rsa' }, claims, good));
  const pem = keys.rsa.publicKey.export({ type: 'spki', format: 'pem' });
  const der = keys.rsa.publicKey.export({ type: 'spki', format: 'der' });
  const confused = { alg: 'HS256', kid: 'rsa' };
  refuse('HS256 with the public key (PEM) as secret', made(confused, claims, hs256(pem)));
  refuse(
    'HS256 with the public key (PEM, trimmed) as secret',
    made(confused, claims, hs256(String(pem).trim())),
  );
  refuse('HS256 with the public key (DER) as secret', made(confused, claims, hs256(der)));
  refuse('HS256 with an empty secret', made(confused, claims, hs256('')));
  refuse('HS256 with "secret"', made(confused, claims, hs256('secret')));
  refuse('ES256 header, RS256 signature', made({ alg: 'ES256', kid: 'rsa' }, claims, good));
  refuse('RS256 header, PS256 signature', made(head, claims, ps256(keys.rsa)));
  refuse('RS256 header, key id of the EC key', made({ ...head, kid: 'ec' }, claims, good));
  refuse('ES256 in DER', made({ alg: 'ES256', kid: 'ec' }, claims, es256(keys.ec, 'der')));
  refuse(
    'ES256 of zeros (CVE-2022-21449)',
    made({ alg: 'ES256', kid: 'ec' }, claims, () => Buffer.alloc(64)),
  );
  refuse(
    'EdDSA of zeros',
    made({ alg: 'EdDSA', kid: 'ed' }, claims, () => Buffer.alloc(64)),
  );
  refuse('signed by somebody else', made(head, claims, rs256(keys.other)));
}

function byHeader({ keys, claims, head, good, refuse, refuseHead }: Maker): void {
  const jwk = keys.other.publicKey.export({ format: 'jwk' });
  refuse('brings its own key (jwk)', made({ ...head, jwk }, claims, rs256(keys.other)));
  refuseHead('jwk beside a good signature', { jwk });
  refuseHead('jku', { jku: 'https://evil.test/jwks' });
  refuseHead('x5u', { x5u: 'https://evil.test/cert' });
  refuseHead('x5c', { x5c: ['MIIB'] });
  refuseHead('unknown critical extension', { crit: ['x'], x: 1 });
  refuseHead('empty crit', { crit: [] });
  refuseHead('b64 false', { b64: false, crit: ['b64'] });
  refuseHead('unknown kid', { kid: 'nobody' });
  refuseHead('kid is a path', { kid: '../../dev/null' });
  refuseHead('kid is a number', { kid: 1 });
  refuseHead('kid is long', { kid: 'k'.repeat(300) });
  refuseHead('typ of another kind', { typ: 'logout+jwt' });
  refuseHead('typ is a number', { typ: 1 });
  refuse('duplicate alg, the last is good', made('{"alg":"none","alg":"HS256","kid":"rsa"}', claims, good));
  refuse('header with __proto__', made('{"alg":"RS256","kid":"rsa","__proto__":{"x":1}}', claims, good));
  refuse('header is a list', made('["RS256"]', claims, good));
  refuse('header is no JSON', made('{alg:RS256}', claims, good));
}

function byClaims({ now, claims, head, good, refuse, refuseClaims }: Maker): void {
  refuseClaims('expired', { exp: now - 120 });
  refuseClaims('exp as text', { exp: String(now + 600) });
  refuseClaims('exp null', { exp: null });
  refuseClaims('exp negative', { exp: -1 });
  refuseClaims('exp beyond a day', { exp: now + 200_000 });
  refuse('exp infinite', made(head, JSON.stringify(claims).replace(String(now + 600), '1e999'), good));
  refuse('without exp', made(head, { ...claims, exp: undefined }, good));
  refuseClaims('nbf in the future', { nbf: now + 120 });
  refuseClaims('nbf as text', { nbf: 'now' });
  refuseClaims('iat in the future', { iat: now + 120 });
  refuseClaims('another issuer', { iss: 'https://evil.test' });
  refuseClaims('issuer with a slash more', { iss: `${issuer}/` });
  refuseClaims('issuer in a list', { iss: [issuer] });
  refuse('without issuer', made(head, { ...claims, iss: undefined }, good));
  refuseClaims('another audience', { aud: 'bank' });
  refuseClaims('audience as prefix', { aud: `${audience}s` });
  refuseClaims('audience as object', { aud: { shop: true } });
  refuseClaims('no audience in the list', { aud: [] });
  refuse('without audience', made(head, { ...claims, aud: undefined }, good));
  refuse('without subject', made(head, { ...claims, sub: undefined }, good));
  refuseClaims('empty subject', { sub: '' });
  refuseClaims('subject is a number', { sub: 7 });
  refuseClaims('subject with a line break', { sub: 'ann\r\nx-role: admin' });
  refuse('claims are a list', made(head, '[]', good));
  refuse('claims are no JSON', made(head, 'x', good));
  refuse('claims with __proto__', made(head, JSON.stringify(claims).replace('{', '{"__proto__":{},'), good));
}

function byShape({ claims, head, good, refuse }: Maker): void {
  const [goodHead, goodBody, goodSignature] = made(head, claims, good).split('.') as [string, string, string];
  refuse('claims exchanged', `${goodHead}.${part({ ...claims, sub: 'root' })}.${goodSignature}`);
  refuse('no signature', `${goodHead}.${goodBody}.`);
  refuse('two parts', `${goodHead}.${goodBody}`);
  refuse('four parts', `${goodHead}.${goodBody}.${goodSignature}.x`);
  refuse('five parts (JWE)', `${goodHead}.x.x.x.x`);
  refuse('padding', `${goodHead}.${goodBody}.${goodSignature}==`);
  refuse('a blank inside', `${goodHead}.${goodBody}. ${goodSignature}`);
  refuse(
    'ordinary base64',
    `${goodHead}.${goodBody}.${Buffer.from(goodSignature, 'base64url').toString('base64')}`,
  );
  refuse('another spelling of the last character', `${goodHead}.${goodBody}.${respelled(goodSignature)}`);
  refuse('signature cut', `${goodHead}.${goodBody}.${goodSignature.slice(0, -4)}`);
  refuse('signature longer', `${goodHead}.${goodBody}.${goodSignature}AAAA`);
  refuse('a megabyte', made(head, { ...claims, x: 'x'.repeat(20_000) }, good));
  refuse('empty', '');
  refuse('dots', '..');
  refuse(
    'JSON serialisation',
    JSON.stringify({ payload: goodBody, protected: goodHead, signature: goodSignature }),
  );
}

/** The same bytes with other unused bits in the last character, which a lax decoder does not see. */
function respelled(signature: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(signature.at(-1) ?? '');
  return signature.slice(0, -1) + (alphabet[last ^ 1] ?? '');
}
