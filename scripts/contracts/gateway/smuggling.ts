// The upstream never sees a request that the gateway did not count, nor a field that only the gateway may say: the table
// of requests that gateways have been tricked with, and a table of fields, before the most gullible server there is.
import assert from 'node:assert/strict';
import { nodeRuntime } from '@heddle/kernel/node';
import { Gateway, normalPath, readGatewayConfig } from '@heddle/proxy';
import { MetricRegistry } from '@heddle/telemetry';
import { type HttpServer, serve } from '@heddle/wire';
import { exchangeRaw } from '../../../packages/wire/src/http1/testdata/raw-peer.ts';
import { type RequestCase, requestCases } from '../../../packages/wire/src/http1/testdata/request-cases.ts';
import { type Contract, type ContractResult, resultOf } from '../result.ts';
import { askHttp1, askHttp2 } from './smuggling/ask.ts';
import {
  type GullibleUpstream,
  startGullibleUpstream,
  type Understood,
} from './smuggling/gullible-upstream.ts';
import { type HeaderCase, headerCases } from './smuggling/header-cases.ts';

const backend = 'smuggling';
const local = { host: '127.0.0.1', port: 0 };
const last = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
// For the cases that end by a time limit; the others must not end by it on a slow machine.
const impatience = { headMs: 100, bodyIdleMs: 100 };

interface Stage {
  readonly upstream: GullibleUpstream;
  readonly patient: HttpServer;
  readonly impatient: HttpServer;
  /** `METHOD path` of every request that the gateway was given. */
  readonly counted: string[];
}

/** Each row of the tables is a result; the fields over each version that can say them. */
export const gatewaySmuggling: Contract = {
  backend,
  run: async () => {
    const runtime = nodeRuntime({ name: backend, logLevel: 'error' });
    const upstream = await startGullibleUpstream();
    const routes = [{ path: '/', upstream: `127.0.0.1:${upstream.port}`, attempts: 1 }];
    const auth = { claimsToFields: { role: 'x-role' } };
    const config = readGatewayConfig(JSON.stringify({ auth, routes }), backend);
    const gateway = new Gateway({ config, runtime, metrics: new MetricRegistry() });
    const counted: string[] = [];
    const service: typeof gateway.service = (req, call) => {
      counted.push(`${req.method} ${req.path}`);
      return gateway.service(req, call);
    };
    const patient = await serve(service, { runtime, address: local });
    const impatient = await serve(service, { runtime, address: local, limits: { http1: impatience } });
    try {
      return await all({ upstream, patient, impatient, counted });
    } finally {
      await Promise.all([patient.stop(), impatient.stop()]);
      await gateway.drain();
      await upstream.stop();
    }
  },
};

async function all(stage: Stage): Promise<ContractResult[]> {
  const results: ContractResult[] = [];
  const add = async (name: string, check: () => Promise<void>): Promise<void> => {
    stage.counted.length = 0;
    stage.upstream.seen.length = 0;
    results.push(await resultOf(backend, '', name, check));
  };
  for (const each of requestCases) await add(`${each.section}: ${each.what}`, () => request(each, stage));
  for (const each of headerCases) {
    const { port } = stage.patient.address;
    if (each.over !== 'h2')
      await add(`HTTP/1.1: ${each.what}`, () => fields(each, stage, () => askHttp1(port, each)));
    if (each.over !== 'http1')
      await add(`HTTP/2: ${each.what}`, () => fields(each, stage, () => askHttp2(port, each)));
  }
  return results;
}

async function request({ bytes, served, refused }: RequestCase, stage: Stage): Promise<void> {
  const waits = served.length === 0 && refused === undefined;
  const { port } = (waits ? stage.impatient : stage.patient).address;
  await exchangeRaw(port, refused === undefined && !waits ? bytes + last : bytes);
  const seen = stage.upstream.seen.map(({ line }) => line);
  allCounted(seen, stage.counted);
  assert.ok(seen.length <= served.length + 1, `the upstream saw ${seen.join(' | ')}`);
  // What the engine serves and no rule of the gateway is against must come through, or the proof would prove nothing.
  for (const line of served) {
    const [method = '', , target = ''] = line.split(' ');
    if (!/^(GET|POST|PUT|DELETE)$/.test(method) || !/^\/[a-z]*$/.test(target) || line.includes('%')) continue;
    assert.ok(
      seen.some((each) => each.startsWith(`${method} ${target}`)),
      `${line} did not reach the upstream: ${seen.join(' | ')}`,
    );
  }
}

/** Each that the upstream saw is one that the gateway was given. */
function allCounted(seen: readonly string[], counted: readonly string[]): void {
  const waiting = counted.map(normalised);
  for (const line of seen) {
    const at = waiting.indexOf(line.split(' ').slice(0, 2).join(' '));
    assert.ok(at !== -1, `the upstream saw ${JSON.stringify(line)}, the gateway only ${counted.join(' | ')}`);
    waiting.splice(at, 1);
  }
}

function normalised(line: string): string {
  const [method = '', target = ''] = line.split(' ');
  const normal = normalPath(target);
  return `${method} ${normal.ok ? normal.path + normal.query : 'refused'}`;
}

async function fields(
  each: HeaderCase,
  { upstream, counted }: Stage,
  ask: () => Promise<void>,
): Promise<void> {
  await ask();
  const { seen } = upstream;
  allCounted(
    seen.map(({ line }) => line),
    counted,
  );
  const asked = seen.filter(({ line }) => !line.endsWith(' /last'));
  assert.equal(
    asked.length,
    each.refused === true ? 0 : 1,
    `the upstream saw ${seen.map(({ line }) => line).join(' | ')}`,
  );
  const [found] = asked;
  if (found !== undefined) told(each, found);
}

function told({ never = [], exactly = {}, content }: HeaderCase, found: Understood): void {
  const plain = found.fields.map(([name, value]) => [name.replaceAll('_', '-'), value] as const);
  for (const word of never) {
    // A word with digits or blanks is no name: it is looked for in the values.
    const isName = /^[a-z][a-z0-9-]*$/.test(word);
    const hit = plain.find(([name, value]) => (isName ? name === word : value.includes(word)));
    assert.equal(hit, undefined, `the upstream was told ${word}`);
  }
  for (const [name, values] of Object.entries(exactly))
    assert.deepEqual(
      found.fields.filter((each) => each[0] === name).map(([, value]) => value),
      values,
      name,
    );
  if (content !== undefined) assert.equal(found.line, `POST /asked ${content}`);
}
