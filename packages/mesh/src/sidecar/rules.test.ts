import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Call, HeddleError, type Result } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { emptyBody, Fields, type HttpRequest, type HttpResponse, type HttpService } from '@heddle/wire';
import type { RetryRules, RouteRule, RuleMatch, ServiceListener } from '../model/index.ts';
import { ClusterPlace } from './clusters.ts';
import { instancesOf } from './cluster-instances.ts';
import { byName, OutboundServices } from './outbound.ts';
import { retryRule, unbounded } from './retry-rule.ts';
import { rewriteRule } from './rewrite-rule.ts';
import { AskedRequest, ruleTest } from './rule-test.ts';

const get = (path: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'GET',
  scheme: 'http',
  authority: 'order:8080',
  path,
  fields: new Fields(),
  body: emptyBody,
  ...more,
});

describe('a match', () => {
  const cases: readonly (readonly [RuleMatch, HttpRequest, boolean])[] = [
    [{ path: { kind: 'prefix', value: '/api' } }, get('/apix?a=1'), true],
    [{ path: { kind: 'segments', value: '/api' } }, get('/apix'), false],
    [{ path: { kind: 'segments', value: '/api' } }, get('/api/x'), true],
    [{ path: { kind: 'exact', value: '/A', ignoreCase: true } }, get('/a?b'), true],
    [{ path: { kind: 'regex', value: '/[0-9]+' } }, get('/12'), true],
    [{ path: { kind: 'regex', value: '/[0-9]+' } }, get('/12x'), false],
    [{ method: { kind: 'exact', value: 'POST' } }, get('/'), false],
    [{ authority: { kind: 'exact', value: 'order' } }, get('/'), true],
    [{ authority: { kind: 'prefix', value: 'order:80' } }, get('/'), true],
    [{ query: [{ name: 'v', kind: 'exact', value: '2' }] }, get('/?v=2'), true],
    [{ query: [{ name: 'v', kind: 'exact', value: '2' }] }, get('/?v=3'), false],
    [{ headers: [{ name: 'x', kind: 'present', value: '' }] }, get('/'), false],
    [
      { headers: [{ name: 'x', kind: 'exact', value: '1', not: true }] },
      get('/', { fields: Fields.of({ x: '2' }) }),
      true,
    ],
    // A header that is not there does not match, not even the opposite.
    [{ headers: [{ name: 'x', kind: 'exact', value: '1', not: true }] }, get('/'), false],
  ];
  for (const [match, request, holds] of cases)
    test(`${JSON.stringify(match)} ${holds ? 'is' : 'is not'} for ${request.path}`, () => {
      assert.equal(ruleTest(match)?.(new AskedRequest(request)), holds);
    });

  test('of a pattern that is none is refused', () => {
    assert.throws(() => ruleTest({ path: { kind: 'regex', value: '(' } }), { reason: 'BAD_RULE' });
  });
});

describe('a rewrite', () => {
  const rewritten = async (
    rewrite: Parameters<typeof rewriteRule>[0],
    matched: Parameters<typeof rewriteRule>[1],
    path: string,
  ): Promise<string> => {
    let found = '';
    const next: HttpService = async (req) => {
      found = `${req.authority}${req.path}`;
      return { status: 200, fields: new Fields(), body: emptyBody };
    };
    await rewriteRule(rewrite, matched)(next)(get(path), Call.root(bareRuntime(new VirtualTime())));
    return found;
  };

  test('replaces what was matched: a prefix by characters or by segments, an exact path as a whole', async () => {
    const to = (value: string) => ({ path: { kind: 'prefix', to: value } }) as const;
    assert.equal(
      await rewritten(to('/v2/'), { kind: 'prefix', value: '/api/' }, '/api/x?q=1'),
      'order:8080/v2/x?q=1',
    );
    assert.equal(await rewritten(to('/'), { kind: 'segments', value: '/api' }, '/api/x'), 'order:8080/x');
    assert.equal(await rewritten(to('/'), { kind: 'segments', value: '/api' }, '/api'), 'order:8080/');
    assert.equal(await rewritten(to('/new'), { kind: 'exact', value: '/old' }, '/old?a'), 'order:8080/new?a');
  });

  test('by a pattern writes groups as RE2 does, and changes the authority', async () => {
    const rewrite = {
      path: { kind: 'regex', pattern: '/a/([^/]+)', to: '/$/\\1' },
      authority: 'inner',
    } as const;
    assert.equal(await rewritten(rewrite, undefined, '/a/b'), 'inner/$/b');
  });
});

describe('a retry', () => {
  const usual: RetryRules = {
    retries: 2,
    attemptTimeoutMs: undefined,
    on: ['connect-failure', 'refused-stream', 'unavailable', 'cancelled'],
    backoffMs: undefined,
  };
  const lost = new HeddleError({ code: 'unavailable', reason: 'LOST', message: 'lost', sent: true });
  const refused = lost.with({ sent: false });
  const status = (code: number): HttpResponse => ({ status: code, fields: new Fields(), body: emptyBody });
  const grpc = (code: string): HttpResponse => ({
    status: 200,
    fields: Fields.of({ 'grpc-status': code }),
    body: emptyBody,
  });

  /** How often a POST is sent whose first attempt has this result. */
  const attempts = async (rules: RetryRules, first: HeddleError | HttpResponse): Promise<number> => {
    const time = new VirtualTime();
    const runtime = bareRuntime(time);
    let sent = 0;
    const next: HttpService = async () => {
      sent += 1;
      if (sent > 1) return status(200);
      if (first instanceof HeddleError) throw first;
      return first;
    };
    const service = retryRule(rules, unbounded(runtime.clock))(next);
    const call = Call.root(runtime);
    const work: Promise<Result<HttpResponse> | undefined> = service(get('/', { method: 'POST' }), call).then(
      () => undefined,
      () => undefined,
    );
    await time.run(work);
    return sent;
  };

  test('is made for what the rule names, and for nothing else', async () => {
    const on = (...words: readonly string[]): RetryRules => ({ ...usual, on: words });
    assert.equal(await attempts(on('5xx'), status(500)), 2);
    assert.equal(await attempts(on('gateway-error'), status(500)), 1);
    assert.equal(await attempts(on('gateway-error'), status(503)), 2);
    assert.equal(await attempts(on('retriable-4xx'), status(409)), 2);
    assert.equal(await attempts(on('418'), status(418)), 2);
    assert.equal(await attempts(on('unavailable'), grpc('14')), 2);
    assert.equal(await attempts(on('unavailable'), grpc('8')), 1);
    assert.equal(await attempts(on('resource-exhausted'), grpc('8')), 2);
    assert.equal(await attempts(on('reset'), lost), 2);
    assert.equal(await attempts(on('connect-failure'), lost), 1);
    assert.equal(await attempts(on('connect-failure'), refused), 2);
  });

  test('that nobody has written is made only where it does no harm', async () => {
    assert.equal(await attempts(usual, refused), 2);
    assert.equal(await attempts(usual, grpc('14')), 1, 'it may have happened');
    assert.equal(
      await attempts({ ...usual, retries: 3 }, grpc('14')),
      2,
      'somebody has said that it may be repeated',
    );
  });
});

describe('services', () => {
  const listener = (host: string, rules: readonly RouteRule[], port = 80): ServiceListener => ({
    host,
    aliases: [host.split('.', 1)[0] ?? ''],
    port,
    protocol: 'http',
    rules,
    visibleIn: [],
  });
  const respond = (body: string, matches: readonly RuleMatch[] = []): RouteRule => ({
    name: body,
    origin: '',
    matches,
    action: { kind: 'respond', status: 200, body },
  });
  const runtime = bareRuntime(new VirtualTime());
  const services = (): OutboundServices =>
    new OutboundServices({ place: (name) => new ClusterPlace(name), budget: unbounded(runtime.clock) });
  const say = async (service: HttpService, request: HttpRequest): Promise<string> => {
    const answer = await service(request, Call.root(runtime));
    return new TextDecoder().decode(await answer.body.bytes(100));
  };

  test('that share a place are told apart by name, and take the first rule that matches', async () => {
    const outbound = services();
    const special = respond('special', [{ path: { kind: 'exact', value: '/x' } }]);
    outbound.apply([listener('a.shop', [special, respond('a')]), listener('*.wild', [respond('wild')])]);
    const service = byName(outbound.all, true);
    const ask = (authority: string, path = '/'): Promise<string> => say(service, get(path, { authority }));
    assert.equal(await ask('a:80'), 'a');
    assert.equal(await ask('A.SHOP', '/x?y'), 'special');
    assert.equal(await ask('b.wild'), 'wild');
    await assert.rejects(ask('b'), { code: 'not_found', reason: 'NO_SERVICE' });
    const own = byName(outbound.all.slice(0, 1), false);
    assert.equal(await say(own, get('/', { authority: '127.70.1.2:80' })), 'a', 'at an address of its own');
  });

  test('whose rules are refused go on as they were, and the others change', async () => {
    const outbound = services();
    outbound.apply([listener('a', [respond('old')]), listener('b', [respond('old')])]);
    const bad = respond('new', [{ path: { kind: 'regex', value: '(' } }]);
    const refused = outbound.apply([listener('a', [bad]), listener('b', [respond('new')])]);
    assert.deepEqual(
      refused.map(({ part }) => part),
      ['service a:80'],
    );
    const service = byName(outbound.all, true);
    assert.equal(await say(service, get('/', { authority: 'a' })), 'old');
    assert.equal(await say(service, get('/', { authority: 'b' })), 'new');
  });

  test('that lead nowhere say so', async () => {
    const outbound = services();
    const shares = [{ cluster: 'outbound|80||gone', weight: 1 }];
    outbound.apply([
      listener('a', [{ name: 'r', origin: '', matches: [], action: { kind: 'forward', shares } }]),
    ]);
    await assert.rejects(say(byName(outbound.all, true), get('/', { authority: 'a' })), {
      reason: 'NO_CLUSTER',
    });
  });
});

test('instances have the shares that the rules give their places', () => {
  const at = (address: string, region: string, weight = 1) =>
    ({
      address,
      port: 80,
      weight,
      health: 'healthy',
      locality: { region, zone: '', subZone: '' },
      identity: '',
    }) as const;
  const assignment = {
    cluster: 'c',
    endpoints: [at('10.0.0.1', 'west', 3), at('10.0.0.2', 'west'), at('10.0.0.3', 'east')],
  };
  const cluster = {
    name: 'c',
    host: 'c',
    port: 80,
    subset: '',
    origin: '',
    protocol: 'http1',
    source: 'endpoints',
    balance: { policy: 'round_robin' },
    pool: {},
    tls: { mode: 'off' },
  } as const;
  const from = { region: 'west', zone: '', subZone: '' };
  const shares = (locality: Parameters<typeof instancesOf>[0]['locality']): string[] =>
    Array.from(
      instancesOf({ ...cluster, locality }, assignment, from).values(),
      ({ instance: { weight, metadata } }) => `${weight}@${metadata['priority']}`,
    );
  assert.deepEqual(shares({ kind: 'off' }), ['3@0', '1@0', '1@0']);
  assert.deepEqual(shares({ kind: 'failover', failover: [] }), ['3@0', '1@0', '1@1']);
  const distribute = [{ from: 'west', to: { west: 80, east: 20 } }];
  assert.deepEqual(shares({ kind: 'distribute', distribute }), ['10000@0', '3333@0', '3333@0']);
});
