// What proxies are sent, counted: a mesh of 100 services with 10 endpoints each, and 10 proxies of both protocols.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { Call, HeddleError } from '@heddle/kernel';
import { simulatedRuntime } from '@heddle/kernel/simulated';
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '../gen/envoy/service/discovery/v3/discovery_pb.ts';
import { loadResources } from '../resources/index.ts';
import { type MeshInstance, MeshTranslation } from '../translate/index.ts';
import { type XdsType, typeUrls } from './ads/resource.ts';
import { Outbox } from './outbox.ts';
import { XdsServer } from './xds-server.ts';

const services = 100;
const each = 10;
const nameOf = (at: number): string => `outbound|80||service-${at}.fleet.svc.cluster.local`;

function instance(service: number, at: number, address: string): readonly [string, MeshInstance] {
  const workload = `service-${service}`;
  const made = {
    namespace: 'fleet',
    workload,
    labels: { app: workload },
    address,
    ports: {},
    serviceAccount: workload,
    locality: { region: '', zone: '', subZone: '' },
    weight: 1,
    health: 'healthy' as const,
    meshTls: true,
  };
  return [`${service}/${at}`, made];
}

function filled(): MeshTranslation {
  const text = Array.from(
    { length: services },
    (_, at) => `{apiVersion: v1, kind: Service, metadata: {name: service-${at}, namespace: fleet},
  spec: {selector: {app: service-${at}}, ports: [{name: http, port: 80, targetPort: 8080}]}}`,
  ).join('\n---\n');
  const translation = new MeshTranslation();
  translation.rules(loadResources([{ file: 'fleet.yaml', text }]).resources);
  const places = Array.from({ length: services * each }, (_, at) =>
    instance(Math.floor(at / each), at % each, `10.0.${Math.floor(at / each)}.${at % each}`),
  );
  translation.instances(places);
  return translation;
}

interface Got {
  readonly type: XdsType;
  readonly resources: number;
  readonly bytes: number;
}

/** A proxy that wants everything and acknowledges everything at once. */
class Proxy {
  readonly got: Got[] = [];
  readonly #call: Call;

  constructor(server: XdsServer, runtime: ReturnType<typeof simulatedRuntime>, protocol: 'sotw' | 'delta') {
    this.#call = Call.root(runtime);
    const node = { id: `${protocol}-proxy.fleet`, userAgentName: 'envoy' };
    void (protocol === 'sotw' ? this.#whole(server, node) : this.#delta(server, node)).catch(() => {});
  }

  leave(): void {
    this.#call.cancel(new HeddleError({ code: 'cancelled', reason: 'LEFT', message: 'the proxy has left' }));
  }

  async #whole(server: XdsServer, node: object): Promise<void> {
    const requests = new Outbox<ReturnType<typeof create<typeof DiscoveryRequestSchema>>>();
    const ask = (type: XdsType, resourceNames: string[], responseNonce = ''): void =>
      requests.push(
        create(DiscoveryRequestSchema, { node, typeUrl: typeUrls[type], resourceNames, responseNonce }),
      );
    ask('cluster', []);
    ask('listener', []);
    let names: string[] = [];
    for await (const response of server.handlers.streamAggregatedResources(requests, this.#call)) {
      const bytes = toBinary(DiscoveryResponseSchema, response).byteLength;
      const type = this.#note(response.typeUrl, response.$unknown?.length ?? 0, bytes);
      ask(type, type === 'endpoints' ? names : type === 'route' ? ['127.0.0.1_80'] : [], response.nonce);
      if (type === 'cluster' && names.length === 0) {
        names = Array.from({ length: services }, (_, at) => nameOf(at));
        ask('endpoints', names);
        ask('route', ['127.0.0.1_80']);
      }
    }
  }

  async #delta(server: XdsServer, node: object): Promise<void> {
    const requests = new Outbox<ReturnType<typeof create<typeof DeltaDiscoveryRequestSchema>>>();
    const ask = (type: XdsType, resourceNamesSubscribe: string[], responseNonce = ''): void =>
      requests.push(
        create(DeltaDiscoveryRequestSchema, {
          node,
          typeUrl: typeUrls[type],
          resourceNamesSubscribe,
          responseNonce,
        }),
      );
    ask('cluster', []);
    ask('listener', []);
    let isSubscribed = false;
    for await (const response of server.handlers.deltaAggregatedResources(requests, this.#call)) {
      const bytes = toBinary(DeltaDiscoveryResponseSchema, response).byteLength;
      const type = this.#note(response.typeUrl, response.$unknown?.length ?? 0, bytes);
      ask(type, [], response.nonce);
      if (type !== 'cluster' || isSubscribed) continue;
      isSubscribed = true;
      ask(
        'endpoints',
        Array.from({ length: services }, (_, at) => nameOf(at)),
      );
      ask('route', ['127.0.0.1_80']);
    }
  }

  #note(typeUrl: string, resources: number, bytes: number): XdsType {
    const [type = 'cluster'] = Object.entries(typeUrls).find(([, url]) => url === typeUrl) ?? [];
    this.got.push({ type: type as XdsType, resources, bytes });
    return type as XdsType;
  }
}

async function fleet(protocol: 'sotw' | 'delta'): Promise<{
  readonly server: XdsServer;
  readonly translation: MeshTranslation;
  readonly runtime: ReturnType<typeof simulatedRuntime>;
  readonly proxies: readonly Proxy[];
}> {
  const runtime = simulatedRuntime({ seed: 1 });
  const server = new XdsServer({ runtime, trustDomain: 'cluster.local' });
  const translation = filled();
  server.update(translation.model);
  const proxies = Array.from({ length: 10 }, () => new Proxy(server, runtime, protocol));
  await runtime.time.advance(1000);
  return { server, translation, runtime, proxies };
}

for (const protocol of ['sotw', 'delta'] as const) {
  describe(`a change of one endpoint of ${services * each}, ${protocol}`, () => {
    test('sends each proxy the endpoints of its cluster, and nothing else', async () => {
      const { server, translation, runtime, proxies } = await fleet(protocol);
      for (const { got } of proxies) {
        const sent = Object.fromEntries(got.map(({ type, resources }) => [type, resources]));
        assert.deepEqual(sent, { cluster: services, endpoints: services, listener: 1, route: 1 });
        got.length = 0;
      }
      server.update(translation.instances([instance(7, 3, '10.9.9.9')]));
      await runtime.time.advance(1000);
      for (const proxy of proxies) {
        assert.deepEqual(
          proxy.got.map(({ type, resources }) => `${type} ${resources}`),
          ['endpoints 1'],
        );
        // Ten endpoints of some 50 bytes, and what names them.
        assert.ok((proxy.got[0]?.bytes ?? 0) < 1500, `${proxy.got[0]?.bytes} bytes`);
      }
      const acknowledged = server.proxies.map(({ types }) => types.map((each_) => each_.pending));
      assert.ok(acknowledged.flat().every((pending) => pending === undefined));
      for (const proxy of proxies) proxy.leave();
      server.close();
    });

    test('goes out at once, and what follows it together', async () => {
      const { server, translation, runtime, proxies } = await fleet(protocol);
      for (const { got } of proxies) got.length = 0;
      for (let at = 0; at < 50; at++) {
        server.update(translation.instances([instance(at, 0, `10.8.0.${at}`)]));
        await runtime.time.advance(1);
      }
      await runtime.time.advance(1000);
      for (const { got } of proxies) {
        assert.equal(got[0]?.resources, 1);
        assert.equal(
          got.reduce((sum, { resources }) => sum + resources, 0),
          50,
        );
        assert.ok(got.length <= 3, `${got.length} pushes`);
      }
      for (const proxy of proxies) proxy.leave();
      server.close();
    });
  });
}
