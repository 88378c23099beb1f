// A gateway that asks a real Open Policy Agent: every shape of an answer, and what holds without one.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeRuntime } from '@heddle/kernel/node';
import { Gateway, jsonAnswer, readGatewayConfig } from '@heddle/proxy';
import { expose, MetricRegistry } from '@heddle/telemetry';
import { type HttpServer, serve } from '@heddle/wire';
import { isMissing, obtain, type Running } from '../../engines/engine.ts';
import { opa } from '../../engines/opa.ts';
import { type Contract, type ContractResult, resultOf, skippedWhole } from '../result.ts';

const backend = 'opa';
const token = 'a-token-for-opa';
const policy = `package gateway

default allow := false
allow if input.method == "GET"
allow if input.identity.roles[_] == "admin"

only_orders if {
  input.segments[0] == "only-orders"
  input.query.tenant[0] == "t1"
}

default verdict := {"allow": false, "http_status": 429, "body": "come later", "headers": {"retry-after": "7"}}
verdict := {"allow": true, "headers": {"x-tenant": input.headers["x-customer"][0]}} if input.headers["x-customer"]

nonsense := "yes"
`;
const authorisation = `package system.authz

default allow := false
allow if input.identity == "${token}"
`;
/** Far more than a deadline, far less than for ever. */
const patienceMs = 60_000;

interface Asked {
  readonly status: number;
  readonly json: Record<string, unknown>;
  readonly headers: Headers;
}

/** Each shape of an answer is a result, and each way of there being none. */
export const opaContract: Contract = {
  backend,
  run: async (only = () => true) => {
    const found = await obtain(opa);
    if (isMissing(found)) return skippedWhole(backend, found.missing);
    const stage = new Stage();
    await stage.open();
    const results: ContractResult[] = [];
    try {
      for (const [name, run] of stage.cases)
        if (only(name)) results.push(await resultOf(backend, found.version, name, run));
    } finally {
      await stage.close();
    }
    return results;
  },
};

class Stage {
  readonly #runtime = nodeRuntime({ name: backend, logLevel: 'error' });
  readonly #closing: (() => Promise<unknown>)[] = [];
  #server: Running | undefined;
  #upstream: HttpServer | undefined;
  #reached = 0;

  async open(): Promise<void> {
    this.#server = await opa.start({ policy });
    this.#upstream = await serve(
      async (req) => {
        this.#reached += 1;
        return jsonAnswer(200, Object.fromEntries(req.fields));
      },
      { runtime: this.#runtime, address: { host: '127.0.0.1', port: 0 } },
    );
  }

  async close(): Promise<void> {
    for (const close of this.#closing) await close();
    await this.#upstream?.stop();
    await this.#server?.stop();
  }

  get cases(): readonly (readonly [name: string, run: () => Promise<void>])[] {
    return [
      ['true and false', () => this.#booleans()],
      ['path, query and who it is are in the input', () => this.#input()],
      [
        'an object: headers for the upstream, or status, body and headers for the caller',
        () => this.#objects(),
      ],
      ['a document that is not there allows nothing, also where failures are open', () => this.#undefined()],
      ['an answer that is neither: closed by default, open where that is said', () => this.#nonsense()],
      ['a decision is remembered as long as is said, for the same question', () => this.#cache()],
      ['killed: the mode holds, and it recovers', () => this.#killed()],
      ['hangs: the deadline holds', () => this.#hangs()],
      ['one that wants a token', () => this.#token()],
    ];
  }

  async #booleans(): Promise<void> {
    const { ask } = await this.#gateway();
    assert.equal((await ask('GET', '/any')).status, 200);
    const before = this.#reached;
    const refused = await ask('POST', '/any');
    assert.deepEqual([refused.status, refused.json['reason']], [403, 'FORBIDDEN']);
    assert.equal(this.#reached, before);
  }

  async #input(): Promise<void> {
    const { ask } = await this.#gateway();
    assert.equal((await ask('POST', '/admin', { 'x-api-key': 'key-of-admin' })).status, 200);
    assert.equal((await ask('POST', '/admin', { 'x-api-key': 'key-of-user' })).status, 403);
    assert.equal((await ask('GET', '/only-orders?tenant=t1')).status, 200);
    assert.equal((await ask('GET', '/only-orders?tenant=t2')).status, 403);
  }

  async #objects(): Promise<void> {
    const { ask } = await this.#gateway();
    const allowed = await ask('GET', '/verdict', { 'x-customer': 'c7', 'x-tenant': 'forged' });
    assert.deepEqual([allowed.status, allowed.json['x-tenant']], [200, 'c7']);
    const refused = await ask('GET', '/verdict');
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '7']);
  }

  async #undefined(): Promise<void> {
    for (const onFailure of ['closed', 'open']) {
      const { ask } = await this.#gateway({ onFailure });
      assert.equal((await ask('GET', '/nowhere')).status, 403);
    }
  }

  async #nonsense(): Promise<void> {
    const closed = await this.#gateway();
    assert.equal((await closed.ask('GET', '/nonsense')).status, 503);
    const open = await this.#gateway({ onFailure: 'open' });
    assert.equal((await open.ask('GET', '/nonsense')).status, 200);
    assert.match(open.metrics(), /^gateway_decisions_total\{route="\/nonsense",decision="open"\} 1$/m);
  }

  async #cache(): Promise<void> {
    const { ask } = await this.#gateway({ cacheMs: 3_600_000, cacheEntries: 2 });
    assert.equal((await ask('GET', '/any')).status, 200);
    await this.#without(async () => {
      assert.equal((await ask('GET', '/any')).status, 200, 'the same question');
      assert.equal((await ask('POST', '/any')).status, 503, 'another one');
    });
    await this.#back(() => ask('POST', '/any'), 403);
    // Two later ones take its place.
    assert.equal((await ask('GET', '/any/2')).status, 200);
    await this.#without(async () => {
      assert.equal((await ask('GET', '/any')).status, 503, 'forgotten');
      assert.equal((await ask('GET', '/any/2')).status, 200);
    });
    await this.#back(() => ask('GET', '/any'), 200);
  }

  async #killed(): Promise<void> {
    const closed = await this.#gateway();
    const open = await this.#gateway({ onFailure: 'open' });
    assert.equal((await closed.ask('GET', '/any')).status, 200);
    await this.#without(async () => {
      assert.equal((await closed.ask('GET', '/any')).status, 503);
      assert.equal((await open.ask('POST', '/any')).status, 200);
    });
    await this.#back(() => closed.ask('GET', '/any'), 200);
    await this.#back(() => open.ask('POST', '/any'), 403);
  }

  async #hangs(): Promise<void> {
    const { ask } = await this.#gateway({ timeoutMs: 100 });
    const pid = this.#server?.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    try {
      assert.equal((await ask('GET', '/any')).status, 503);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await this.#back(() => ask('GET', '/any'), 200);
  }

  async #token(): Promise<void> {
    const locked = await opa.start({ policy, authorisation });
    try {
      const at = `http://127.0.0.1:${locked.address.port}`;
      const without = await this.#gateway({ opa: at });
      assert.equal((await without.ask('GET', '/any')).status, 503);
      const known = await this.#gateway({ opa: at, tokenEnv: 'OPA_TOKEN' });
      assert.equal((await known.ask('GET', '/any')).status, 200);
    } finally {
      await locked.stop();
    }
  }

  /** A gateway with these settings of its decision point. */
  async #gateway(more: object = {}): Promise<{
    readonly ask: (method: string, target: string, headers?: Record<string, string>) => Promise<Asked>;
    readonly metrics: () => string;
  }> {
    const upstream = `static:///127.0.0.1:${this.#upstream?.address.port}`;
    const route = (target: string, document: string, others: object = {}): object => ({
      path: target,
      upstream,
      decide: { policy: `gateway/${document}`, headers: ['x-customer'] },
      ...others,
    });
    const keys = ['admin', 'user'].map((role) => ({
      id: role,
      sha256: createHash('sha256').update(`key-of-${role}`).digest('hex'),
      roles: [role],
    }));
    const document = {
      auth: { apiKeys: { keys } },
      // Long enough for a busy machine; the case about hanging says less.
      decisionPoint: { opa: `http://127.0.0.1:${this.#server?.address.port}`, timeoutMs: 20_000, ...more },
      routes: [
        route('/any', 'allow'),
        route('/admin', 'allow', { auth: { any: ['apiKey'] } }),
        route('/only-orders', 'only_orders'),
        route('/verdict', 'verdict'),
        route('/nonsense', 'nonsense'),
        route('/nowhere', 'nowhere'),
      ],
    };
    const metrics = new MetricRegistry();
    const config = readGatewayConfig(JSON.stringify(document), backend);
    const secrets = (name: string): string | undefined => (name === 'OPA_TOKEN' ? token : undefined);
    const runtime = { ...this.#runtime, log: () => {} };
    const gateway = new Gateway({ config, runtime, metrics, secrets });
    const front = await serve(gateway.service, { runtime, address: { host: '127.0.0.1', port: 0 } });
    this.#closing.push(async () => {
      await front.stop();
      await gateway.drain();
    });
    return {
      metrics: () => expose(metrics),
      ask: async (method, target, headers = {}) => {
        const answer = await fetch(`http://127.0.0.1:${front.address.port}${target}`, { method, headers });
        const text = await answer.text();
        const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { text };
        return { status: answer.status, json, headers: answer.headers };
      },
    };
  }

  /** Does something while OPA is dead, and has it back at the same address. */
  async #without(work: () => Promise<void>): Promise<void> {
    const address = this.#server?.address;
    await this.#server?.stop();
    try {
      await work();
    } finally {
      this.#server = await opa.start({ policy, ...(address !== undefined && { address }) });
    }
  }

  async #back(ask: () => Promise<Asked>, status: number): Promise<void> {
    const giveUpAt = performance.now() + patienceMs;
    while ((await ask()).status !== status) {
      assert.ok(performance.now() < giveUpAt, `no ${status} within ${patienceMs} ms`);
      await delay(20);
    }
  }
}
