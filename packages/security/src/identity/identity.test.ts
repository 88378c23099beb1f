import assert from 'node:assert/strict';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { makeRoot } from './authority.ts';
import { BootstrapTokens } from './bootstrap-tokens.ts';
import { makeRequest } from './certificate-request.ts';
import { CertificateService, type Svid } from './certificate-service.ts';
import { fromPem, pem } from './der.ts';
import { KeptIdentity } from './kept-identity.ts';
import { checkWorkloadProof, isWorkloadProof, workloadProof } from './workload-proof.ts';

const order = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'order' };
const minuteMs = 60_000;

interface World {
  readonly time: VirtualTime;
  readonly runtime: Runtime;
  readonly service: CertificateService;
  readonly newRoot: () => ReturnType<typeof makeRoot>;
}

function world(lifeMs = minuteMs): World {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const newRoot = (): ReturnType<typeof makeRoot> =>
    makeRoot('cluster.local', time.clock.wallMs(), 1000 * minuteMs, runtime.random.bytes(16));
  const service = new CertificateService({
    runtime,
    trustDomain: 'cluster.local',
    authority: newRoot(),
    lifeMs,
  });
  return { time, runtime, service, newRoot };
}

/** Lets time go by. */
function wait(time: VirtualTime, ms: number): Promise<void> {
  return time.run(new Promise((resolve) => void time.timers.after(ms, resolve)));
}

function isRefused(reason: string): (error: unknown) => boolean {
  return (error) => HeddleError.from(error).reason === reason;
}

describe('certificates of workloads', () => {
  test('name one SPIFFE ID, are signed by the root and hold as long as they say', () => {
    const { service, time } = world();
    const { request } = makeRequest();
    const svid = service.issue(order, request);
    const certificate = new X509Certificate(svid.certificates);
    assert.equal(certificate.subjectAltName, 'URI:spiffe://cluster.local/ns/shop/sa/order');
    assert.equal(certificate.ca, false);
    assert.ok(certificate.verify(new X509Certificate(svid.trust).publicKey));
    assert.ok(certificate.checkIssued(new X509Certificate(svid.trust)));
    assert.equal(svid.expiresMs, time.clock.wallMs() + minuteMs);
    assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
    assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  });

  test('are for the key that has signed the request, and for no other', () => {
    const { service } = world();
    const { request, privateKey } = makeRequest();
    const certificate = new X509Certificate(service.issue(order, request).certificates);
    assert.deepEqual(
      certificate.publicKey.export({ type: 'spki', format: 'der' }),
      createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    );
    const bytes = Uint8Array.from(fromPem('CERTIFICATE REQUEST', request) ?? []);
    bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1;
    const forged = pem('CERTIFICATE REQUEST', bytes);
    for (const bad of [forged, 'nothing', pem('CERTIFICATE REQUEST', Uint8Array.of(0x30, 0x7f))])
      assert.throws(() => service.issue(order, bad), isRefused('BAD_REQUEST'));
  });

  test('are not for workloads of other meshes', () => {
    const { service } = world();
    const { request } = makeRequest();
    const stranger = { ...order, trustDomain: 'elsewhere' };
    assert.throws(() => service.issue(stranger, request), isRefused('FOREIGN_TRUST_DOMAIN'));
  });
});

describe('certificates of servers', () => {
  test('are for the names and addresses that they are called by, and for nothing else', () => {
    const { service, time } = world();
    const { request } = makeRequest();
    const hosts = ['localhost', 'plane.example', '127.0.0.1', '::1', '2001:db8::a:b'] as const;
    const svid = service.issueServer([...hosts], request, minuteMs);
    const certificate = new X509Certificate(svid.certificates);
    assert.ok(certificate.verify(new X509Certificate(svid.trust).publicKey));
    assert.equal(svid.expiresMs, time.clock.wallMs() + minuteMs);
    assert.ok(certificate.checkHost('plane.example'));
    for (const address of ['127.0.0.1', '::1', '2001:db8::a:b'])
      assert.ok(certificate.checkIP(address), address);
    assert.equal(certificate.checkHost('other.example'), undefined);
    assert.equal(certificate.checkIP('127.0.0.2'), undefined);
  });

  test('are for no name that is none', () => {
    const { service } = world();
    const { request } = makeRequest();
    for (const bad of ['', '-a', 'a b', '300.1.1.1', '1.2.3', 'a..b', '::g', 'https://a'])
      assert.throws(() => service.issueServer([bad], request, minuteMs), isRefused('BAD_HOST'), bad);
  });
});

describe('bootstrap tokens', () => {
  test('say whom they are for, until they expire', async () => {
    const { time } = world();
    const tokens = new BootstrapTokens(Buffer.alloc(32, 7), time.clock);
    const token = tokens.make(order, minuteMs);
    assert.deepEqual(tokens.check(token), order);
    const others = new BootstrapTokens(Buffer.alloc(32, 8), time.clock);
    assert.throws(() => others.check(token), isRefused('BAD_TOKEN'));
    const [name, until] = token.split('.');
    for (const bad of [
      '',
      `${name}.${until}`,
      `${name}.${Number(until) + 60}.${token.split('.')[2]}`,
      `${token}.x`,
    ])
      assert.throws(() => tokens.check(bad), isRefused('BAD_TOKEN'));
    await wait(time, minuteMs);
    assert.throws(() => tokens.check(token), isRefused('TOKEN_EXPIRED'));
  });
});

describe('a kept identity', () => {
  test('is another one after two thirds of its life, and never expires', async () => {
    const { time, runtime, service } = world();
    const kept = new KeptIdentity(runtime, async (request) => service.issue(order, request));
    await kept.start();
    const times: number[] = [];
    kept.onRenewed(({ svid }) => times.push(svid.issuedMs));
    const first = kept.current;
    assert.equal(kept.current, first, 'made anew for each handshake');
    const startMs = time.clock.wallMs();
    for (let second = 0; second < 600; second++) {
      await wait(time, 1000);
      assert.ok(kept.held.svid.expiresMs - time.clock.wallMs() >= 19_000, 'less than a third is left');
    }
    kept.close();
    assert.notEqual(kept.current, first);
    const gaps = times.map((at, n) => at - (times[n - 1] ?? startMs));
    assert.ok(gaps.length >= 14 && gaps.every((gap) => gap >= 36_000 && gap <= 40_000), gaps.join());
  });

  test('goes on with what it has while nobody answers, and asks again', async () => {
    const { time, runtime, service } = world();
    let isAway = false;
    const ask = async (request: string): Promise<Svid> => {
      if (isAway) throw new HeddleError({ code: 'unavailable', reason: 'AWAY', message: 'away' });
      return service.issue(order, request);
    };
    const kept = new KeptIdentity(runtime, ask);
    await kept.start();
    const { svid } = kept.held;
    isAway = true;
    await wait(time, 50_000);
    assert.equal(kept.held.svid, svid);
    isAway = false;
    await wait(time, 5000);
    assert.notEqual(kept.held.svid, svid);
    kept.close();
  });
});

describe('the rotation of a root', () => {
  test('believes both while either may be met', () => {
    const { service, newRoot } = world();
    const { request } = makeRequest();
    const before = service.issue(order, request);
    const next = newRoot();
    assert.throws(() => service.switchTo(next), isRefused('ROOT_UNKNOWN'));
    service.introduce(next);
    const between = service.issue(order, request);
    const roots = between.trust.match(/-----BEGIN/g);
    assert.equal(roots?.length, 2);
    assert.throws(() => service.retire(before.trust), isRefused('ROOT_IN_USE'));
    service.switchTo(next);
    service.retire(before.trust);
    const after = service.issue(order, request);
    assert.equal(after.trust, next.root);
    assert.ok(new X509Certificate(after.certificates).verify(new X509Certificate(next.root).publicKey));
  });
});

describe('the proof of a workload without TLS', () => {
  const asked = { method: 'POST', path: '/v1/mesh/model', body: Buffer.from('{}') };

  test('names who has the key of a certificate of this mesh', async () => {
    const { runtime, service, time } = world();
    const kept = new KeptIdentity(runtime, async (request) => service.issue(order, request));
    await kept.start();
    const at = { trust: service.trust, wallMs: time.clock.wallMs() };
    const proof = workloadProof(kept.held, asked, at.wallMs);
    assert.ok(isWorkloadProof(proof) && !isWorkloadProof('Bearer x'));
    assert.deepEqual(checkWorkloadProof(proof, asked, at), order);
    const check =
      (request: typeof asked, more: Partial<typeof at> = {}) =>
      () =>
        checkWorkloadProof(proof, request, { ...at, ...more });
    assert.throws(check({ ...asked, path: '/v1/mesh/certificates' }), isRefused('BAD_PROOF'));
    assert.throws(check({ ...asked, body: Buffer.from('{ }') }), isRefused('BAD_PROOF'));
    assert.throws(check(asked, { wallMs: at.wallMs + 61_000 }), isRefused('PROOF_EXPIRED'));
    assert.throws(check(asked, { trust: world().newRoot().root }), isRefused('BAD_PROOF'));
    assert.throws(() => checkWorkloadProof('Workload e30', asked, at), isRefused('BAD_PROOF'));
    kept.close();
  });

  test('is none once the certificate has ended, or with the key of another', async () => {
    const { service, time } = world();
    const [mine, other] = [makeRequest(), makeRequest()];
    const svid = service.issue(order, mine.request);
    const at = { trust: service.trust, wallMs: time.clock.wallMs() };
    const stolen = workloadProof({ svid, privateKey: other.privateKey }, asked, at.wallMs);
    assert.throws(() => checkWorkloadProof(stolen, asked, at), isRefused('BAD_PROOF'));
    const late = at.wallMs + 2 * minuteMs;
    const ended = workloadProof({ svid, privateKey: mine.privateKey }, asked, late);
    assert.throws(() => checkWorkloadProof(ended, asked, { ...at, wallMs: late }), isRefused('BAD_PROOF'));
  });
});

test('an identity that was kept is gone on with as long as it is good', async () => {
  const { time, runtime, service } = world();
  const first = new KeptIdentity(runtime, async (request) => service.issue(order, request));
  await first.start();
  const { held } = first;
  first.close();
  let asked = 0;
  const ask = async (request: string): Promise<Svid> => {
    asked += 1;
    return service.issue(order, request);
  };
  const second = new KeptIdentity(runtime, ask, held);
  await second.start();
  assert.deepEqual([second.held, asked], [held, 0]);
  await wait(time, 45_000);
  assert.ok(asked > 0, 'renewed at two thirds of its life');
  second.close();
  await wait(time, 2 * minuteMs);
  const third = new KeptIdentity(runtime, ask, held);
  await third.start();
  assert.notEqual(third.held, held);
  third.close();
});
