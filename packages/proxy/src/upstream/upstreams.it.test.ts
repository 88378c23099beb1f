import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { nodeRuntime } from '@heddle/kernel/node';
import { TestAuthority } from '@heddle/kernel/testing';
import { MetricRegistry } from '@heddle/telemetry';
import type { SharedVerdicts, Verdict } from '@heddle/upstream';
import { type HttpServer, type HttpService, serve, type ServeTls, streamBody, wholeBody } from '@heddle/wire';
import { jsonAnswer } from '../answer/json-answer.ts';
import { Gateway, type GatewayOptions } from '../gateway.ts';
import { loadGatewayConfig } from '../model/gateway-config.ts';

// What is refused here is logged, which is not looked at.
const runtime = { ...nodeRuntime({ name: 'test', logLevel: 'error' }), log: () => {} };
const local = { host: '127.0.0.1', port: 0 };
const limit = { timeout: 60_000 };
const patienceMs = 30_000;

const ours = new TestAuthority('ours', Date.now());
const theirs = new TestAuthority('theirs', Date.now());
const server = ours.issue({ dnsNames: ['order.shop'], addresses: ['127.0.0.1'] });

const running: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0).toReversed()) await stop();
}, limit);

async function upstream(service: HttpService, tls?: ServeTls): Promise<string> {
  const started: HttpServer = await serve(service, {
    runtime,
    address: local,
    ...(tls !== undefined && { tls }),
  });
  running.push(() => started.stop());
  return `127.0.0.1:${started.address.port}`;
}

interface Asked {
  readonly status: number;
  readonly json: Record<string, string>;
}

interface Front {
  readonly url: string;
  readonly gateway: Gateway;
  /** The status and the parsed answer. */
  readonly ask: (path: string, headers?: Record<string, string>) => Promise<Asked>;
}

async function front(document: object, more: Partial<GatewayOptions> = {}): Promise<Front> {
  const config = loadGatewayConfig(JSON.stringify(document), 'test');
  const gateway = new Gateway({ config, runtime, metrics: new MetricRegistry(), ...more });
  const started = await serve(gateway.service, { runtime, address: local });
  running.push(async () => {
    await started.stop();
    await gateway.drain();
  });
  const url = `http://127.0.0.1:${started.address.port}`;
  return {
    url,
    gateway,
    ask: async (path, headers = {}) => {
      const answer = await fetch(`${url}${path}`, { headers });
      return { status: answer.status, json: (await answer.json()) as Record<string, string> };
    },
  };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + patienceMs;
  while (!(await holds())) {
    assert.ok(Date.now() < giveUpAt, 'it has not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const named = (name: string): HttpService => {
  return async () => jsonAnswer(200, { name });
};

describe('TLS to an upstream', limit, () => {
  const files = new Map([
    ['ours.pem', ours.certificate],
    ['theirs.pem', theirs.certificate],
    ...Object.entries({ cert: ours.issue({ dnsNames: ['gateway'] }) }).flatMap(([, identity]) => [
      ['gateway.pem', identity.certificates] as const,
      ['gateway.key', identity.privateKey] as const,
    ]),
  ]);
  const read = (name: string): Uint8Array | undefined => {
    const text = files.get(name);
    return text === undefined ? undefined : new TextEncoder().encode(text);
  };

  test(
    'goes to those that the authority has certified, under the name that is asked for, and to nobody else',
    limit,
    async () => {
      const schemes: string[] = [];
      const service: HttpService = async (req) => {
        schemes.push(req.scheme);
        return jsonAnswer(200, {});
      };
      const target = await upstream(service, { source: { current: { identities: [server] } } });
      const { ask } = await front(
        {
          upstreams: {
            good: { target, tls: { ca: 'ours.pem' } },
            named: { target, tls: { ca: 'ours.pem', serverName: 'order.shop' } },
            'other-name': { target, tls: { ca: 'ours.pem', serverName: 'payment.shop' } },
            'other-authority': { target, tls: { ca: 'theirs.pem' } },
            'of-node': { target, tls: {} },
            clear: { target },
          },
          routes: ['good', 'named', 'other-name', 'other-authority', 'of-node', 'clear'].map((each) => ({
            path: `/${each}`,
            upstream: each,
            attempts: 1,
          })),
        },
        { files: read },
      );
      const statuses: Record<string, number> = {};
      for (const each of ['good', 'named', 'other-name', 'other-authority', 'of-node', 'clear'])
        statuses[each] = (await ask(`/${each}`)).status;
      assert.deepEqual([statuses['good'], statuses['named']], [200, 200]);
      for (const each of ['other-name', 'other-authority', 'of-node', 'clear'])
        assert.ok((statuses[each] ?? 0) >= 401, `${each}: ${statuses[each]}`);
      assert.deepEqual(schemes, ['https', 'https']);
    },
  );

  test('shows the certificate that is asked for, over HTTP/2 too', limit, async () => {
    const source = { current: { identities: [server], trust: ours.certificate } };
    const target = await upstream(named('order'), { source, clients: 'require' });
    const tls = { ca: 'ours.pem', cert: 'gateway.pem', key: 'gateway.key' };
    const { ask } = await front(
      {
        upstreams: { known: { target, tls }, stranger: { target, tls: { ca: 'ours.pem' } } },
        routes: [
          { path: '/known', upstream: 'known' },
          { path: '/h2', upstream: 'known', protocol: 'h2c' },
          { path: '/stranger', upstream: 'stranger', attempts: 1 },
        ],
      },
      { files: read },
    );
    assert.equal((await ask('/known')).status, 200);
    assert.equal((await ask('/h2')).status, 200);
    assert.ok((await ask('/stranger')).status >= 401);
  });

  test('a file that is not there closes its route, and no other', limit, async () => {
    const target = await upstream(named('order'), { source: { current: { identities: [server] } } });
    const { ask } = await front(
      {
        upstreams: { bad: { target, tls: { ca: 'nowhere.pem' } }, good: { target, tls: { ca: 'ours.pem' } } },
        routes: [
          { path: '/bad', upstream: 'bad' },
          { path: '/', upstream: 'good' },
        ],
      },
      { files: read },
    );
    assert.equal((await ask('/bad')).json['reason'], 'ROUTE_QUARANTINED');
    assert.equal((await ask('/else')).status, 200);
  });
});

describe('an upstream', limit, () => {
  test(
    'that no registry can resolve closes its route, and no other; where all are so, nothing is served',
    limit,
    async () => {
      const target = await upstream(named('there'));
      const nowhere = { path: '/nowhere', upstream: 'discovery:///nowhere' };
      const { ask } = await front({ routes: [nowhere, { path: '/', upstream: target }] });
      assert.equal((await ask('/nowhere')).json['reason'], 'ROUTE_QUARANTINED');
      assert.equal((await ask('/')).json['name'], 'there');
      await assert.rejects(front({ routes: [nowhere] }), { reason: 'NO_REGISTRY' });
    },
  );

  test('has a breaker: what keeps failing is not called, also where there is no other', limit, async () => {
    let calls = 0;
    const target = await upstream(async () => {
      calls += 1;
      return jsonAnswer(500, {});
    });
    const { ask } = await front({
      upstreams: {
        broken: { target, ejection: false, breaker: { consecutiveFailures: 3, openMs: 600_000 } },
      },
      routes: [{ path: '/', upstream: 'broken', attempts: 1 }],
    });
    const statuses: number[] = [];
    for (let n = 0; n < 6; n++) statuses.push((await ask('/')).status);
    assert.deepEqual(statuses, [500, 500, 500, 503, 503, 503]);
    assert.equal(calls, 3);
  });

  test('ejects who does worse than the others, unless it is told not to', limit, async () => {
    const calls = { with: 0, without: 0 };
    const failing = (key: keyof typeof calls): HttpService => {
      return async () => {
        calls[key] += 1;
        return jsonAnswer(500, {});
      };
    };
    const good = await upstream(named('good'));
    const [a, b] = [await upstream(failing('with')), await upstream(failing('without'))];
    const { ask } = await front({
      upstreams: {
        ejecting: {
          target: `static:///${good},${a}`,
          ejection: { consecutiveFailures: 2, ejectMs: 600_000 },
        },
        patient: { target: `static:///${good},${b}`, ejection: false },
      },
      routes: [
        { path: '/with', upstream: 'ejecting', attempts: 1 },
        { path: '/without', upstream: 'patient', attempts: 1 },
      ],
    });
    for (let n = 0; n < 20; n++) for (const path of ['/with', '/without']) await ask(path);
    assert.deepEqual(calls, { with: 2, without: 10 });
  });

  test(
    'is checked: who fails gets no requests until it is well again, and with too few left all do',
    limit,
    async () => {
      const well = { a: true, b: true };
      const checked = (name: keyof typeof well): HttpService => {
        return async (req) => {
          if (req.path === '/live') return jsonAnswer(well[name] ? 200 : 500, {});
          return jsonAnswer(200, { name });
        };
      };
      const [a, b] = [await upstream(checked('a')), await upstream(checked('b'))];
      const health = { path: '/live', intervalMs: 20, rise: 1, fall: 1 };
      const { ask, gateway } = await front({
        upstreams: { two: { target: `static:///${a},${b}`, health } },
        routes: [{ path: '/', upstream: 'two' }],
      });
      const group = gateway.targets.get('two')?.group;
      const askedOf = async (): Promise<string> => {
        const names = await Promise.all(Array.from({ length: 4 }, async () => (await ask('/')).json['name']));
        return ['a', 'b'].filter((name) => names.includes(name)).join();
      };
      assert.equal(await askedOf(), 'a,b');
      well.b = false;
      await until(() => group?.view.members.length === 1);
      assert.equal(await askedOf(), 'a');
      well.a = false;
      await until(() => group?.view.snapshot?.panic === true);
      assert.equal(await askedOf(), 'a,b');
      well.b = true;
      await until(() => group?.view.members.length === 1);
      assert.equal(await askedOf(), 'b');
    },
  );

  test('keeps together what the hash says', limit, async () => {
    const [a, b, c] = [await upstream(named('a')), await upstream(named('b')), await upstream(named('c'))];
    const { ask } = await front({
      upstreams: {
        ring: {
          target: `static:///${a},${b},${c}`,
          policy: 'maglev',
          hash: { by: 'header', name: 'x-user' },
        },
      },
      routes: [{ path: '/', upstream: 'ring' }],
    });
    const seen = new Set<string>();
    for (let user = 0; user < 12; user++) {
      const names = new Set<string | undefined>();
      for (let n = 0; n < 4; n++) names.add((await ask('/', { 'x-user': `user-${user}` })).json['name']);
      assert.equal(names.size, 1);
      seen.add([...names].join());
    }
    assert.ok(seen.size > 1, 'all users are at one instance');
  });

  test('may answer so much and no more', limit, async () => {
    const target = await upstream(async ({ path }) => {
      const bytes = new Uint8Array(path.endsWith('small') ? 100 : 101);
      const body = path.startsWith('/whole') ? wholeBody(bytes) : streamBody([bytes]);
      return { ...jsonAnswer(200, {}), body };
    });
    const { url } = await front({ routes: [{ path: '/', upstream: target, maxResponseBytes: 100 }] });
    const sizeOf = async (path: string): Promise<number> =>
      (await (await fetch(`${url}${path}`)).arrayBuffer()).byteLength;
    assert.deepEqual([await sizeOf('/whole/small'), await sizeOf('/stream/small')], [100, 100]);
    const answer = await fetch(`${url}/whole/large`);
    assert.deepEqual(
      [answer.status, ((await answer.json()) as { reason: string }).reason],
      [502, 'RESPONSE_TOO_LARGE'],
    );
    await assert.rejects(sizeOf('/stream/large'));
  });
});

test('gateways that serve together know what one of them has found out', limit, async () => {
  const listeners = new Set<(verdict: Verdict) => void>();
  const told: Verdict[] = [];
  const bus = (): SharedVerdicts => {
    let own: ((verdict: Verdict) => void) | undefined;
    return {
      tell: (verdict) => {
        told.push(verdict);
        for (const each of listeners) if (each !== own) each(verdict);
      },
      onVerdict: (listener) => {
        own = listener;
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
  };
  let isWell = false;
  let calls = 0;
  const flaky = await upstream(async () => {
    calls += 1;
    return jsonAnswer(isWell ? 200 : 500, {});
  });
  const good = await upstream(named('good'));
  const document = {
    upstreams: {
      alone: {
        target: flaky,
        ejection: false,
        breaker: { consecutiveFailures: 2, openMs: 3000, successes: 1 },
      },
      two: { target: `static:///${good},${flaky}`, ejection: { consecutiveFailures: 2, ejectMs: 600_000 } },
    },
    routes: [
      { path: '/alone', upstream: 'alone', attempts: 1 },
      { path: '/two', upstream: 'two', attempts: 1 },
    ],
  };
  const [first, second] = [
    await front(document, { verdicts: bus }),
    await front(document, { verdicts: bus }),
  ];
  for (let n = 0; n < 2; n++) assert.equal((await first.ask('/alone')).status, 500);
  const before = calls;
  assert.equal((await second.ask('/alone')).json['reason'], 'BREAKER_OPEN');
  assert.equal(calls, before, 'the second one has called what the first had given up');
  isWell = true;
  await until(async () => (await first.ask('/alone')).status === 200);
  assert.equal((await second.ask('/alone')).status, 200);

  isWell = false;
  for (let n = 0; n < 4; n++) await first.ask('/two');
  const ejectedAt = calls;
  for (let n = 0; n < 6; n++) assert.equal((await second.ask('/two')).status, 200);
  assert.equal(calls, ejectedAt);
  // Failures in a row are told too, as often as time allows: what was found out is not.
  const found = told.filter(({ kind }) => kind !== 'counted');
  assert.deepEqual(
    found.map((verdict) => (verdict.kind === 'breaker' ? verdict.to : verdict.kind)),
    ['open', 'closed', 'ejected'],
  );
});
