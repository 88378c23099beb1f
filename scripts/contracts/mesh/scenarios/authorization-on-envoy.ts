// The tables of authorisation once more: what a stock Envoy makes of the configuration that our control plane sends.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { nodeRuntime } from '@heddle/kernel/node';
import { mutualTlsFor, policiesFor, tokenRulesFor } from '@heddle/mesh/authorization';
import { emptyModel, type InboundPort, type MeshModel } from '@heddle/mesh/model';
import { loadResources } from '@heddle/mesh/resources';
import { WorkloadSecrets } from '@heddle/mesh/xds';
import { CertificateService, makeRoot } from '@heddle/security/identity';
import { startXdsEnvoy } from '../../../engines/envoy.ts';
import { type ContractResult, resultOf } from '../../result.ts';
import { type CaseGroup, type CaseRequest, usualRequest } from '../authorization/case.ts';
import { authorizationCases } from '../authorization/cases.ts';
import { Issuer } from '../authorization/issuer.ts';
import { accepts, Asker } from './asker.ts';
import { holds } from './client-scenarios.ts';
import { startControlPlane } from './control-plane.ts';
import { ownPlace } from './own-place.ts';

/** One result for each group of the tables: all of its requests must meet the verdict that is documented. */
export async function authorizationOnEnvoy(
  version: string,
  only: (name: string) => boolean,
): Promise<ContractResult[]> {
  const groups = authorizationCases.filter((group) => only(nameOf(group)));
  if (groups.length === 0) return [];
  const stage = await startStage();
  try {
    const results: ContractResult[] = [];
    for (const group of groups) {
      const why = cannot(group);
      const [backend, name] = ['envoy', nameOf(group)];
      if (why !== undefined)
        results.push({ backend, version, case: name, status: 'unsupported', detail: why });
      else results.push(await resultOf(backend, version, name, () => stage.play(group)));
    }
    return results;
  } finally {
    await stage.stop();
  }
}

function nameOf({ name }: CaseGroup): string {
  return `authorisation, ${name}`;
}

/** What a test on loopback, or xDS itself, cannot have. */
function cannot({ answers, resources }: CaseGroup): string | undefined {
  if (answers !== undefined) return 'CUSTOM: providers are not known to xDS; the control plane reports it';
  const isByAddress = /ipBlocks|notIpBlocks|source\.ip|destination\.ip/.test(resources);
  return isByAddress ? 'by the address of the connection: a test on loopback has only its own' : undefined;
}

interface Stage {
  play(group: CaseGroup): Promise<void>;
  stop(): Promise<void>;
}

/** An Envoy before a server that says yes to everything. */
async function startStage(): Promise<Stage> {
  const runtime = nodeRuntime({ name: 'control-plane', logLevel: 'error' });
  const authority = makeRoot('cluster.local', Date.now(), 86_400_000, runtime.random.bytes(16));
  const service = new CertificateService({ runtime, trustDomain: 'cluster.local', authority });
  const idOf = (): { trustDomain: string; namespace: string; serviceAccount: string } => ({
    trustDomain: 'cluster.local',
    namespace: 'foo',
    serviceAccount: 'httpbin',
  });
  const secrets = new WorkloadSecrets({
    runtime,
    service,
    idOf,
    onRenewed: (workload) => controlPlane.xds.renewSecrets(workload),
  });
  const controlPlane = await startControlPlane((workload) => secrets.of(workload));
  const target = createServer((_, answer) => answer.end('yes')).listen(0, '127.0.0.1');
  await once(target, 'listening');
  const envoy = await startXdsEnvoy({
    controlPlane,
    node: { id: 'httpbin', cluster: 'foo', metadata: { NAME: 'httpbin', NAMESPACE: 'foo' } },
  });
  const issuer = new Issuer();
  const asker = new Asker(authority, issuer);
  return {
    play: async (group) => {
      // Each group at an address of its own: what was in force before it listens elsewhere.
      const [http, tcp] = [await ownPlace(), await ownPlace()];
      const hostOf = (request: CaseRequest): string => (request.tcp === true ? tcp : http).host;
      const model = modelOf(group, hostOf, target, issuer);
      controlPlane.apply(model);
      const ports = model.workloads.get('foo/httpbin')?.inbound ?? [];
      const ready = async (): Promise<boolean> =>
        (await Promise.all(ports.map(({ address: host, port }) => accepts({ host, port })))).every(Boolean);
      const refusals = (): string => controlPlane.xds.proxies.map(({ refusal }) => refusal ?? '').join(' ');
      await holds(ready, () => `no listener: ${refusals()} ${envoy.output().slice(-500)}`);
      for (const [request, expected] of group.requests) {
        // Node writes every method in capitals.
        if (request.method !== request.method?.toUpperCase()) continue;
        const verdict = await asker.ask(hostOf(request), request);
        // Who may not use a port of TCP is cut off, as is who may not even connect.
        const told = request.tcp === true && expected === 'deny' ? 'refused' : expected;
        assert.equal(verdict, told, JSON.stringify(request));
      }
    },
    stop: async () => {
      secrets.close();
      await controlPlane.stop();
      await envoy.stop();
      target.close();
    },
  };
}

/** The workload with the group's policies, at the ports that its requests go to. */
function modelOf(
  group: CaseGroup,
  hostOf: (request: CaseRequest) => string,
  target: Server,
  issuer: Issuer,
): MeshModel {
  const text = group.resources.replaceAll('{jwks}', issuer.jwks);
  const { resources } = loadResources([{ file: group.name, text }]);
  const asked = new Map<string, CaseRequest>();
  for (const [request] of group.requests)
    asked.set(`${hostOf(request)} ${request.port ?? usualRequest.port}`, request);
  const { port: targetPort } = target.address() as AddressInfo;
  const inbound = [...asked.values()].map((request): InboundPort => {
    const { port = usualRequest.port } = request;
    return {
      address: hostOf(request),
      port,
      protocol: request.tcp === true ? 'tcp' : 'http',
      target: { address: '127.0.0.1', port: targetPort },
      mtls: mutualTlsFor(resources, group.workload, port),
    };
  });
  const workload = {
    namespace: 'foo',
    name: 'httpbin',
    labels: group.workload.labels,
    serviceAccount: 'httpbin',
    locality: { region: '', zone: '', subZone: '' },
    inbound,
    policies: policiesFor(resources, group.workload),
    jwt: tokenRulesFor(resources, group.workload),
  };
  return { ...emptyModel('cluster.local'), workloads: new Map([['foo/httpbin', workload]]) };
}
