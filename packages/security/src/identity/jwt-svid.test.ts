import assert from 'node:assert/strict';
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, test } from 'node:test';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { makeRoot } from './authority.ts';
import { CertificateService } from './certificate-service.ts';
import { jwtSignerOf } from './jwt-key.ts';
import { checkJwtSvid, type JwtSvid } from './jwt-svid.ts';
import { KeptJwts } from './kept-jwts.ts';

const order = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'order' };
const minuteMs = 60_000;
const stock = 'spiffe://cluster.local/ns/shop/sa/stock';

const time = new VirtualTime();
const runtime: Runtime = bareRuntime(time);
const newRoot = (): ReturnType<typeof makeRoot> =>
  makeRoot('cluster.local', time.clock.wallMs(), 1000 * minuteMs, runtime.random.bytes(16));
const authority = newRoot();
const serviceOf = (material = authority): CertificateService =>
  new CertificateService({ runtime, trustDomain: 'cluster.local', authority: material });
const service = serviceOf();

function check(token: string, audience = stock, keys = service.jwtKeys): ReturnType<typeof checkJwtSvid> {
  return checkJwtSvid(token, { keys, trustDomain: 'cluster.local', audience }, time.clock.wallMs());
}

function wait(ms: number): Promise<void> {
  return time.run(new Promise((resolve) => void time.timers.after(ms, resolve)));
}

function isRefused(reason: string, message?: RegExp): (error: unknown) => boolean {
  return (error) => {
    const { reason: found, message: said } = HeddleError.from(error);
    return found === reason && (message === undefined || message.test(said));
  };
}

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');

describe('tokens of workloads (JWT-SVID)', () => {
  test('say who has them to those whom they name, for five minutes', async () => {
    const { token, spiffeId, expiresMs } = service.issueJwt(order, [stock]);
    assert.equal(spiffeId, 'spiffe://cluster.local/ns/shop/sa/order');
    assert.equal(expiresMs - time.clock.wallMs() > 298_000, true);
    const { id, claims } = check(token);
    assert.deepEqual(id, order);
    assert.deepEqual(claims, {
      iss: 'spiffe://cluster.local',
      sub: spiffeId,
      aud: [stock],
      exp: Math.floor(expiresMs / 1000),
      iat: Math.floor(time.clock.wallMs() / 1000),
    });
    const [header = ''] = token.split('.');
    const [key] = service.jwtKeys;
    assert.deepEqual(JSON.parse(Buffer.from(header, 'base64url').toString()), {
      alg: 'ES256',
      kid: key?.kid,
      typ: 'JWT',
    });
    // Clocks may be half a minute apart.
    await wait(5 * minuteMs + 29_000);
    check(token);
    await wait(2000);
    assert.throws(() => check(token), isRefused('BAD_TOKEN', /expired/));
  });

  test('are not made for workloads of other meshes, nor for nobody', () => {
    assert.throws(
      () => service.issueJwt({ ...order, trustDomain: 'elsewhere' }, [stock]),
      isRefused('FOREIGN_TRUST_DOMAIN'),
    );
    for (const bad of [undefined, 'stock', [], [''], [7], ['a'.repeat(257)], Array(9).fill('a')])
      assert.throws(() => service.issueJwt(order, bad), isRefused('BAD_AUDIENCE'), JSON.stringify(bad));
  });

  test('do not outlive their authority', () => {
    const short = makeRoot('cluster.local', time.clock.wallMs(), minuteMs, runtime.random.bytes(16));
    assert.ok(serviceOf(short).issueJwt(order, [stock]).expiresMs <= time.clock.wallMs() + minuteMs);
  });
});

describe('the key of tokens', () => {
  test('is the same wherever the authority is, and neither its key for certificates nor told with what is public', () => {
    assert.deepEqual(serviceOf().jwtKeys, service.jwtKeys);
    assert.notDeepEqual(serviceOf(newRoot()).jwtKeys, service.jwtKeys);
    const { privateKey, key } = jwtSignerOf(authority.privateKey);
    const ofCertificates = createPublicKey(authority.privateKey).export({ format: 'jwk' });
    assert.notEqual(key.x, ofCertificates.x);
    assert.deepEqual(Object.keys(key).toSorted(), ['alg', 'crv', 'kid', 'kty', 'x', 'y']);
    const { x, y } = createPublicKey(privateKey.export({ type: 'pkcs8', format: 'pem' })).export({
      format: 'jwk',
    });
    assert.deepEqual([x, y], [key.x, key.y]);
  });

  test('is rotated with the authority: both are believed in between', () => {
    const next = newRoot();
    const rotated = serviceOf();
    const before = rotated.issueJwt(order, [stock]);
    assert.throws(() => rotated.switchTo(next), isRefused('ROOT_UNKNOWN'));
    rotated.introduce(next);
    const between = rotated.jwtKeys;
    assert.equal(between.length, 2);
    rotated.switchTo(next);
    const after = rotated.issueJwt(order, [stock]);
    for (const { token } of [before, after]) check(token, stock, between);
    assert.throws(() => check(after.token, stock, service.jwtKeys), isRefused('BAD_TOKEN', /signature/));
    rotated.retire(authority.root);
    assert.throws(() => check(before.token, stock, rotated.jwtKeys), isRefused('BAD_TOKEN', /signature/));
    check(after.token, stock, rotated.jwtKeys);
  });
});

describe('a token that is not one of this mesh for this audience', () => {
  const { privateKey, key } = jwtSignerOf(authority.privateKey);
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const edwards = generateKeyPairSync('ed25519').privateKey;
  const nowS = Math.floor(time.clock.wallMs() / 1000) + 1000;
  const good = { sub: 'spiffe://cluster.local/ns/shop/sa/order', aud: [stock], exp: nowS + 300 };
  const header = { alg: 'ES256', kid: key.kid, typ: 'JWT' };
  const signed = (head: object, claims: object, by: KeyObject = privateKey): string => {
    const said = `${encoded(head)}.${encoded(claims)}`;
    const signature = sign('sha256', Buffer.from(said), { key: by, dsaEncoding: 'ieee-p1363' });
    return `${said}.${signature.toString('base64url')}`;
  };
  const by = (head: object, signature: (said: Buffer) => Buffer): string => {
    const said = `${encoded(head)}.${encoded(good)}`;
    return `${said}.${signature(Buffer.from(said)).toString('base64url')}`;
  };
  const without = (name: keyof typeof good): object => ({ ...good, [name]: undefined });
  const publicKey = JSON.stringify(service.jwtKeys[0]);
  const der = (said: Buffer): Buffer => sign('sha256', said, privateKey);

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['nothing', '', /three parts/],
    ['no signature', `${encoded(header)}.${encoded(good)}.`, /three parts/],
    ['alg none', by({ ...header, alg: 'none' }, () => Buffer.from('x')), /algorithm/],
    [
      'a secret that is the public key',
      by({ ...header, alg: 'HS256' }, (said) => createHmac('sha256', publicKey).update(said).digest()),
      /HS256/,
    ],
    ['EdDSA', by({ ...header, alg: 'EdDSA' }, (said) => sign(null, said, edwards)), /EdDSA/],
    ['another algorithm than the key’s', signed({ ...header, alg: 'ES384' }, good), /signature/],
    ['the key of somebody else', signed(header, good, stranger), /signature/],
    ['the key of somebody else, unnamed', signed({ alg: 'ES256' }, good, stranger), /signature/],
    ['a key that is not there', signed({ ...header, kid: 'other' }, good), /signature/],
    ['a signature of another form', by(header, der), /signature/],
    ['its own key', signed({ ...header, jwk: service.jwtKeys[0] }, good), /brings its own key/],
    ['where its key is', signed({ ...header, jku: 'http://127.0.0.1/keys' }, good), /brings its own key/],
    ['what must be understood', signed({ ...header, crit: ['x'] }, good), /critical/],
    ['another type', signed({ ...header, typ: 'at+jwt' }, good), /typ/],
    ['no audience', signed(header, without('aud')), /aud/],
    ['another audience', signed(header, { ...good, aud: ['spiffe://cluster.local/ns/shop/sa/web'] }), /aud/],
    ['an audience that begins alike', signed(header, { ...good, aud: `${stock}s` }), /aud/],
    ['no end', signed(header, without('exp')), /exp/],
    ['an end that is no time', signed(header, { ...good, exp: `${nowS + 300}` }), /exp/],
    ['an end that was', signed(header, { ...good, exp: nowS - 1031 }), /expired/],
    ['an end in a year', signed(header, { ...good, exp: nowS + 31_536_000 }), /too late/],
    ['a beginning that is not yet', signed(header, { ...good, nbf: nowS + 200 }), /nbf/],
    ['no subject', signed(header, without('sub')), /sub/],
    ['a subject that is no SPIFFE ID', signed(header, { ...good, sub: 'order' }), /sub/],
    [
      'a subject of another trust domain',
      signed(header, { ...good, sub: 'spiffe://elsewhere/ns/shop/sa/order' }),
      /another trust domain/,
    ],
  ];
  for (const [what, token, message] of refused)
    test(`is refused: ${what}`, () => assert.throws(() => check(token), isRefused('BAD_TOKEN', message)));

  test('while the same without what is wrong is taken, one without kid and typ too', () => {
    assert.deepEqual(check(signed(header, good)).id, order);
    assert.deepEqual(check(signed({ alg: 'ES256' }, { ...good, aud: stock })).id, order);
    assert.throws(() => check(signed(header, { ...good, aud: [''] }), ''), isRefused('BAD_TOKEN', /aud/));
  });
});

describe('kept tokens', () => {
  test('are given again until half of their life is over, to all who ask for the same audience', async () => {
    const asked: string[] = [];
    const kept = new KeptJwts(time.clock, async (audience) => {
      asked.push(audience.join());
      return service.issueJwt(order, audience);
    });
    const [first, same] = await Promise.all([kept.of(['a', 'b']), kept.of(['b', 'a'])]);
    assert.equal(first, same);
    await kept.of(['a']);
    assert.deepEqual(asked, ['a,b', 'a']);
    await wait(2 * minuteMs + 29_000);
    assert.equal(await kept.of(['a', 'b']), first);
    await wait(2000);
    assert.notEqual(await kept.of(['a', 'b']), first);
    kept.forget();
    await kept.of(['a', 'b']);
    assert.deepEqual(asked, ['a,b', 'a', 'a,b', 'a,b']);
  });

  test('that could not be had are asked for again', async () => {
    let isAway = true;
    const kept = new KeptJwts(time.clock, async (audience): Promise<JwtSvid> => {
      if (isAway) throw new HeddleError({ code: 'unavailable', reason: 'AWAY', message: 'away' });
      return service.issueJwt(order, audience);
    });
    await assert.rejects(kept.of(['a']), isRefused('AWAY'));
    isAway = false;
    await kept.of(['a']);
  });
});
