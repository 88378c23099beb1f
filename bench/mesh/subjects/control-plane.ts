// Our control plane as the bench has it: the same lines as scripts/engines/xds-control-plane, on the model that rules
// and running instances are translated to.
import { createInterface } from 'node:readline';
import { nodeRuntime } from '@heddle/kernel/node';
import { loadResources } from '@heddle/mesh/resources';
import { type MeshInstance, MeshTranslation } from '@heddle/mesh/translate';
import { AggregatedDiscoveryService, XdsServer } from '@heddle/mesh/xds';
import { rpcServer } from '@heddle/rpc';

const runtime = nodeRuntime({ name: 'control-plane', logLevel: 'error' });
const xds = new XdsServer({ runtime, trustDomain: 'cluster.local' });
const translation = new MeshTranslation();
const server = rpcServer({
  runtime,
  address: { host: '127.0.0.1', port: 0 },
  routes: (router) => router.service(AggregatedDiscoveryService, xds.handlers),
});
await server.start();
process.stdout.write(`ready ${server.address.port}\n`);

function instance(service: number, at: number, address: string): readonly [string, MeshInstance] {
  const name = `service-${service}`;
  return [
    `${service}/${at}`,
    {
      namespace: 'fleet',
      workload: name,
      labels: { app: name },
      address,
      ports: {},
      serviceAccount: name,
      locality: { region: '', zone: '', subZone: '' },
      weight: 1,
      health: 'healthy',
      meshTls: false,
    },
  ];
}

function fill(services: number, each: number): void {
  const text = Array.from(
    { length: services },
    (_, at) => `apiVersion: v1
kind: Service
metadata: {name: service-${at}, namespace: fleet}
spec: {selector: {app: service-${at}}, ports: [{name: http, port: 80, targetPort: 8080}]}
`,
  ).join('---\n');
  const instances = Array.from({ length: services * each }, (_, at) => {
    const [service, number] = [Math.floor(at / each), at % each];
    return instance(service, number, `10.${service >> 8}.${service & 255}.${number}`);
  });
  translation.instances(instances);
  xds.update(translation.rules(loadResources([{ file: 'fleet.yaml', text }]).resources));
}

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, ...words] = line.split(' ');
  if (verb === 'fill') fill(Number(words[0]), Number(words[1]));
  if (verb === 'change') xds.update(translation.instances([instance(Number(words[0]), 0, words[2] ?? '')]));
  process.stdout.write('ok\n');
}
xds.close();
await server.drain();
await server.stop();
