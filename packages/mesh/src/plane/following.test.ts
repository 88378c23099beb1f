import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Call, HeddleError, type Runtime } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import {
  type Cluster,
  clusterName,
  emptyModel,
  type MeshEndpoint,
  type MeshModel,
  type ServiceListener,
} from '../model/index.ts';
import { ModelFeed } from './model-feed.ts';
import { ModelFollower, type ModelFollowerOptions } from './model-follower.ts';
import type { ModelAnswer, PartRefusal } from './plane-messages.ts';

const locality = { region: '', zone: '', subZone: '' };

function clusterOf(host: string): Cluster {
  return {
    name: clusterName({ host, port: 80, subset: '' }),
    host,
    port: 80,
    subset: '',
    origin: '',
    protocol: 'http1',
    source: 'endpoints',
    balance: { policy: 'round_robin' },
    locality: { kind: 'off' },
    pool: {},
    tls: { mode: 'off' },
  };
}

function serviceOf(host: string, visibleIn: readonly string[] = []): ServiceListener {
  const shares = [{ cluster: clusterOf(host).name, weight: 1 }];
  const rules = [{ name: 'all', origin: '', matches: [], action: { kind: 'forward' as const, shares } }];
  return { host, aliases: [], port: 80, protocol: 'http', rules, visibleIn };
}

function endpointAt(address: string): MeshEndpoint {
  return { address, port: 80, weight: 1, health: 'healthy', locality, identity: '' };
}

function modelOf(
  at: Readonly<Record<string, string>>,
  services = Object.keys(at).map((host) => serviceOf(host)),
): MeshModel {
  const clusters = Object.keys(at).map(clusterOf);
  const workload = (name: string) =>
    ({
      namespace: 'shop',
      name,
      labels: {},
      serviceAccount: name,
      locality,
      inbound: [],
      policies: [],
      jwt: [],
    }) as const;
  return {
    ...emptyModel('cluster.local'),
    services,
    clusters: new Map(clusters.map((each) => [each.name, each])),
    assignments: new Map(
      clusters.map(({ name, host }) => [name, { cluster: name, endpoints: [endpointAt(at[host] ?? '')] }]),
    ),
    workloads: new Map(['web', 'order'].map((name) => [`shop/${name}`, workload(name)])),
  };
}

/** A control plane and a plane of `shop/web`, on a clock that moves when it is told to. */
class Stage {
  readonly time = new VirtualTime();
  readonly files = new Map<string, Uint8Array>();
  readonly runtime: Runtime = {
    ...bareRuntime(this.time),
    disk: {
      ...bareRuntime(this.time).disk,
      read: async (path) => this.files.get(path),
      replace: async (path, bytes) => void this.files.set(path, bytes),
    },
  };
  readonly feed = new ModelFeed({ runtime: this.runtime, trustDomain: 'cluster.local' });
  readonly applied: MeshModel[] = [];
  readonly answers: ModelAnswer[] = [];
  refused: readonly PartRefusal[] = [];
  isAway = false;

  follower(more: Partial<ModelFollowerOptions> = {}): ModelFollower {
    return new ModelFollower({
      runtime: this.runtime,
      plane: 'proxy',
      node: 'web-1',
      workload: 'shop/web',
      ask: async (question, call) => {
        if (this.isAway) throw new HeddleError({ code: 'unavailable', reason: 'AWAY', message: 'away' });
        const answer = JSON.parse(JSON.stringify(await this.feed.ask(question, call))) as ModelAnswer;
        this.answers.push(answer);
        return answer;
      },
      apply: (model) => {
        this.applied.push(model);
        return this.refused;
      },
      file: 'model.json',
      ...more,
    });
  }

  /** A control plane has these rules, and time goes by until all have heard. */
  async now(model: MeshModel): Promise<void> {
    this.feed.update(model);
    await this.time.advance(1000);
  }

  endpointOf(host: string): string | undefined {
    return this.applied.at(-1)?.assignments.get(clusterOf(host).name)?.endpoints[0]?.address;
  }
}

describe('a plane that follows the rules', () => {
  test('gets all at first and then what has changed, and all else stays the same object', async () => {
    const stage = new Stage();
    await stage.now(modelOf({ a: '10.0.0.1', b: '10.0.0.2' }));
    const follower = stage.follower();
    await stage.time.run(follower.start());
    const [first] = stage.applied;
    assert.deepEqual(
      first?.services.map(({ host }) => host),
      ['a', 'b'],
    );
    await stage.now(modelOf({ a: '10.0.0.1', b: '10.0.0.3' }));
    assert.equal(stage.endpointOf('b'), '10.0.0.3');
    const { put, drop } = stage.answers.at(-1) ?? {};
    assert.deepEqual([Object.keys(put ?? {}), drop], [['assignment outbound|80||b'], []]);
    const second = stage.applied.at(-1);
    assert.equal(second?.services[0], first?.services[0]);
    assert.equal(second?.clusters.get('outbound|80||b'), first?.clusters.get('outbound|80||b'));
    await stage.now(modelOf({ b: '10.0.0.3' }));
    assert.deepEqual(stage.answers.at(-1)?.drop, [
      'service a:80',
      'cluster outbound|80||a',
      'assignment outbound|80||a',
    ]);
    await follower.stop();
  });

  test('is told of its own side and of what it may see, and of nobody else', async () => {
    const stage = new Stage();
    const at = { a: '10.0.0.1', secret: '10.0.0.2' };
    await stage.now(modelOf(at, [serviceOf('a'), serviceOf('secret', ['vault'])]));
    const follower = stage.follower();
    await stage.time.run(follower.start());
    const [model] = stage.applied;
    assert.deepEqual([...(model?.workloads.keys() ?? [])], ['shop/web']);
    assert.deepEqual([...(model?.clusters.keys() ?? [])], ['outbound|80||a']);
    await follower.stop();
  });

  test('acknowledges by its next question, and tells what it has refused', async () => {
    const stage = new Stage();
    await stage.now(modelOf({ a: '10.0.0.1' }));
    const follower = stage.follower();
    stage.refused = [{ part: 'service a:80', message: 'no such thing' }];
    await stage.time.run(follower.start());
    await stage.time.advance(100);
    const [view] = stage.feed.planes;
    assert.equal(view?.acknowledged, view?.current);
    assert.notEqual(view?.acknowledged, '');
    assert.deepEqual(view?.refused, stage.refused);
    // What was refused is tried again, and then it may do.
    stage.refused = [];
    await stage.time.advance(20_000);
    assert.deepEqual([follower.status.refused, stage.feed.planes[0]?.refused], [[], []]);
    await follower.stop();
  });

  test('goes on with what it has while nobody answers, and catches up', async () => {
    const stage = new Stage();
    await stage.now(modelOf({ a: '10.0.0.1' }));
    const follower = stage.follower();
    await stage.time.run(follower.start());
    stage.isAway = true;
    stage.feed.update(modelOf({ a: '10.0.0.2' }));
    await stage.time.advance(60_000);
    await stage.now(modelOf({ a: '10.0.0.3' }));
    assert.equal(stage.endpointOf('a'), '10.0.0.2');
    assert.deepEqual([follower.status.source, follower.status.problem], ['kept', 'away']);
    stage.isAway = false;
    await stage.time.advance(15_000);
    assert.equal(stage.endpointOf('a'), '10.0.0.3');
    assert.equal(follower.status.source, 'control plane');
    await follower.stop();
  });

  test('begins with the copy on disk where no control plane answers, and ends without any', async () => {
    const stage = new Stage();
    await stage.now(modelOf({ a: '10.0.0.1' }));
    const before = stage.follower();
    await stage.time.run(before.start());
    await before.stop();
    stage.isAway = true;
    const follower = stage.follower();
    await stage.time.run(follower.start());
    assert.equal(stage.endpointOf('a'), '10.0.0.1');
    assert.equal(follower.status.source, 'kept');
    await follower.stop();
    const stranger = stage.follower({ file: 'another.json' });
    await assert.rejects(stage.time.run(stranger.start()), { reason: 'NO_RULES' });
  });

  test('may go from one control plane to another: the same rules have the same version there', async () => {
    const stage = new Stage();
    await stage.now(modelOf({ a: '10.0.0.1' }));
    const other = new ModelFeed({ runtime: stage.runtime, trustDomain: 'cluster.local' });
    other.update(modelOf({ a: '10.0.0.1' }));
    await stage.time.advance(100);
    const question = {
      plane: 'proxy',
      node: 'x',
      workload: 'shop/web',
      have: '',
      refused: [],
      waitMs: 0,
    } as const;
    const [one, two] = await Promise.all(
      [stage.feed, other].map((feed) => feed.ask(question, Call.root(stage.runtime))),
    );
    assert.equal(one?.version, two?.version);
    // What another has never served is answered with all there is.
    const whole = await other.ask({ ...question, have: 'unknown' }, Call.root(stage.runtime));
    assert.deepEqual([whole.base, Object.keys(whole.put).length], ['', 5]);
  });

  test('does not take what does not add up', async () => {
    const stage = new Stage();
    await stage.now(modelOf({ a: '10.0.0.1' }));
    const follower = stage.follower({
      ask: async (question, call) => ({ ...(await stage.feed.ask(question, call)), version: 'another' }),
      startMs: 1000,
    });
    await assert.rejects(stage.time.run(follower.start()), { reason: 'NO_RULES' });
    assert.equal(stage.applied.length, 0);
  });
});

test('a feed that closes lets go of those who wait', async () => {
  const stage = new Stage();
  await stage.now(modelOf({ a: '10.0.0.1' }));
  const question = { plane: 'proxy', node: 'x', workload: 'shop/web', refused: [], waitMs: 30_000 } as const;
  const { version } = await stage.feed.ask({ ...question, have: '' }, Call.root(stage.runtime));
  const waiting = stage.feed.ask({ ...question, have: version }, Call.root(stage.runtime));
  await stage.time.advance(100);
  stage.feed.close();
  assert.deepEqual(await waiting, { version, base: version, put: {}, drop: [] });
});

test('what our proxy cannot do is told, with where it was written, once such a proxy asks', async () => {
  const stage = new Stage();
  const model = modelOf({ a: '10.0.0.1' });
  const cluster = { ...clusterOf('a'), origin: 'DestinationRule shop/a', pool: { maxRetries: 3 } };
  const [service] = model.services;
  const rules = service?.rules.map((rule) => ({
    ...rule,
    origin: 'VirtualService shop/a',
    retry: {
      retries: 1,
      attemptTimeoutMs: undefined,
      on: ['5xx', '409', 'envoy-ratelimited'],
      backoffMs: undefined,
    },
  }));
  const services = [{ ...serviceOf('a'), rules: rules ?? [] }];
  await stage.now({ ...model, services, clusters: new Map([[cluster.name, cluster]]) });
  assert.equal(stage.feed.inexpressible.length, 0);
  const follower = stage.follower();
  await stage.time.run(follower.start());
  assert.deepEqual(
    stage.feed.inexpressible.map(({ origin, what }) => `${origin}: ${what}`),
    ['DestinationRule shop/a: maxRetries', 'VirtualService shop/a: retry on envoy-ratelimited'],
  );
  await follower.stop();
});
