// Stock Envoys that ask a gateway by Envoy's rate limit service protocol: they count together, exactly.
import assert from 'node:assert/strict';
import { nodeRuntime } from '@heddle/kernel/node';
import { Gateway, readGatewayConfig } from '@heddle/proxy';
import { MetricRegistry } from '@heddle/telemetry';
import { type HttpServer, serve } from '@heddle/wire';
import { isMissing, obtain, type Place, type Running } from '../../engines/engine.ts';
import { addressOf, envoy } from '../../engines/envoy.ts';
import { type Contract, type ContractResult, resultOf, skippedWhole } from '../result.ts';

const backend = 'ratelimit-envoy';
const limit = 50;
const burst = 200;
const hour = 3_600_000;
const secret = 'of-the-envoys';

const routes = `routes:
  - path: /
    respond: { status: 200, body: ok }
  - grpc: { service: envoy.service.ratelimit.v3.RateLimitService, method: ShouldRateLimit }
    headers: { x-envoy-secret: ${secret} }
    rateLimitService:
      - { domain: shop, match: [{ key: device, value: vip }], rule: { algorithm: token_bucket, limit: 1, windowMs: ${hour}, burst: ${2 * limit} } }
      - { domain: shop, match: [{ key: device }], rule: { algorithm: fixed_window, limit: ${limit}, windowMs: ${hour} } }
`;

/** Two Envoys, and a gateway that is their rate limit service and what they forward to. */
export const ratelimitEnvoy: Contract = {
  backend,
  run: async () => {
    const found = await obtain(envoy);
    if (isMissing(found)) return skippedWhole(backend, found.missing);
    const runtime = nodeRuntime({ name: backend, logLevel: 'error' });
    const gateway = new Gateway({
      config: readGatewayConfig(routes, backend),
      runtime,
      metrics: new MetricRegistry(),
    });
    const front = await serve(gateway.service, { runtime, address: { host: '127.0.0.1', port: 0 } });
    const envoys = await Promise.all(
      [1, 2].map(() => envoy.start({ resources: (listen) => resources(listen, front.address) })),
    );
    try {
      return await casesOf(found.version, envoys, front);
    } finally {
      await Promise.all(envoys.map((each) => each.stop()));
      await front.stop();
      await gateway.drain();
    }
  },
};

async function casesOf(
  version: string,
  envoys: readonly Running[],
  front: HttpServer,
): Promise<ContractResult[]> {
  const results: ContractResult[] = [];
  const test = async (name: string, work: () => Promise<void>): Promise<void> => {
    results.push(await resultOf(backend, version, name, work));
  };
  await test(`two Envoys: exactly ${limit} of ${2 * burst} are let through`, async () => {
    const answers = await burstOf(envoys, 'a');
    assert.equal(answers.filter(({ status }) => status === 200).length, limit, 'let through');
    const refused = answers.filter(({ status }) => status === 429);
    assert.equal(refused.length, 2 * burst - limit, 'refused');
    assert.ok(Number(refused[0]?.headers.get('retry-after')) >= 1, 'Retry-After');
    assert.equal(refused[0]?.headers.get('x-ratelimit-remaining'), '0');
    assert.match(refused[0]?.headers.get('x-ratelimit-limit') ?? '', new RegExp(`^${limit}\\b.*w=3600`));
  });
  await test('another value is counted by itself, and the first limit that fits holds', async () => {
    for (const [device, most] of [
      ['b', limit],
      ['vip', 2 * limit],
    ] as const) {
      const answers = await burstOf(envoys, device);
      assert.equal(answers.filter(({ status }) => status === 200).length, most, device);
    }
  });
  await test('what no limit is for is let through', async () => {
    const [first] = envoys as readonly [Running];
    assert.equal((await ask(first, {})).status, 200);
  });
  await test('who is not let in by the route cannot ask', async () => {
    const answer = await fetch(
      `http://127.0.0.1:${front.address.port}/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit`,
      { method: 'POST', headers: { 'content-type': 'application/grpc' }, body: new Uint8Array(5) },
    );
    assert.equal(await answer.text(), 'ok', 'it is the route for all others that answers');
  });
  return results;
}

function burstOf(envoys: readonly Running[], device: string): Promise<Response[]> {
  const asks = envoys.flatMap((each) =>
    Array.from({ length: burst }, () => ask(each, { 'x-device': device })),
  );
  return Promise.all(asks);
}

async function ask({ address }: Running, headers: Readonly<Record<string, string>>): Promise<Response> {
  const answer = await fetch(`http://127.0.0.1:${address.port}/`, { headers });
  await answer.arrayBuffer();
  return answer;
}

const type = (name: string): string => `type.googleapis.com/envoy.extensions.${name}`;

function resources(listen: Place, gateway: Place): object {
  const limits = {
    name: 'envoy.filters.http.ratelimit',
    typed_config: {
      '@type': type('filters.http.ratelimit.v3.RateLimit'),
      domain: 'shop',
      failure_mode_deny: true,
      timeout: '10s',
      enable_x_ratelimit_headers: 'DRAFT_VERSION_03',
      rate_limit_service: {
        transport_api_version: 'V3',
        grpc_service: {
          envoy_grpc: { cluster_name: 'limits' },
          initial_metadata: [{ key: 'x-envoy-secret', value: secret }],
        },
      },
    },
  };
  const actions = [{ request_headers: { header_name: 'x-device', descriptor_key: 'device' } }];
  const host = {
    name: 'all',
    domains: ['*'],
    routes: [{ match: { prefix: '/' }, route: { cluster: 'out' } }],
    rate_limits: [{ actions }],
  };
  const connections = {
    '@type': type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'in',
    route_config: { virtual_hosts: [host] },
    http_filters: [
      limits,
      { name: 'envoy.filters.http.router', typed_config: { '@type': type('filters.http.router.v3.Router') } },
    ],
  };
  const filters = [{ name: 'envoy.filters.network.http_connection_manager', typed_config: connections }];
  return {
    listeners: [{ name: 'in', address: addressOf(listen), filter_chains: [{ filters }] }],
    clusters: [cluster('out', gateway), { ...cluster('limits', gateway), ...overHttp2 }],
  };
}

const overHttp2 = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': type('upstreams.http.v3.HttpProtocolOptions'),
      // As many as the gateway takes: an Envoy that opens more before it has heard so is refused those.
      explicit_http_config: { http2_protocol_options: { max_concurrent_streams: 100 } },
    },
  },
};

function cluster(name: string, at: Place): object {
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: addressOf(at) } }] }];
  return {
    name,
    type: 'STATIC',
    connect_timeout: '5s',
    load_assignment: { cluster_name: name, endpoints },
  };
}
