// Two proxies with mTLS between them, before one backend: ours and Envoy's, each following a control plane in this process.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { nodeRuntime } from '@heddle/kernel/node';
import { clusterName, emptyModel, type MeshModel, spiffeIdOf } from '@heddle/mesh/model';
import { WorkloadSecrets } from '@heddle/mesh/xds';
import type { SpiffeId } from '@heddle/security/identity';
import { startControlPlane } from '../../scripts/contracts/mesh/scenarios/control-plane.ts';
import { meshAuthority } from '../../scripts/contracts/mesh/scenarios/mesh-identities.ts';
import { startOwnControlPlane } from '../../scripts/contracts/mesh/scenarios/own-control-plane.ts';
import { ownPlace } from '../../scripts/contracts/mesh/scenarios/own-place.ts';
import type { Place, Running } from '../../scripts/engines/engine.ts';
import { startXdsEnvoy } from '../../scripts/engines/envoy.ts';
import { freePlace, startServer } from '../../scripts/engines/running.ts';
import { subjectCore } from '../wire/contender.ts';

/** A way to the backend. */
export interface Pair {
  /** Where callers call. */
  readonly address: Place;
  /** The proxies; none where there is no mesh. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

const trustDomain = 'cluster.local';
const main = path.resolve(import.meta.dirname, '../../apps/heddle/src/main.ts');
const locality = { region: 'west', zone: 'a', subZone: '' };

/** Two of our sidecars. */
export async function ownPair(backend: Place): Promise<Pair> {
  const controlPlane = await startOwnControlPlane(meshAuthority());
  const { out, model } = await meshOf(backend);
  controlPlane.apply(model);
  const proxies: (Running & { readonly data: string })[] = [];
  for (const name of ['client', 'order']) {
    const admin = await freePlace();
    const data = mkdtempSync(path.join(tmpdir(), 'heddle-bench-sidecar-'));
    const at = ['--control-plane', `${controlPlane.host}:${controlPlane.port}`, '--workload', `shop/${name}`];
    const args = ['sidecar', ...at, '--dns', 'off', '--data', data, '--admin-port', `${admin.port}`];
    const running = await startServer({
      name: 'heddle sidecar',
      command: process.execPath,
      args: ['--conditions=@heddle/source', main, ...args],
      address: admin,
      core: subjectCore,
      env: { HEDDLE_MESH_TOKEN: controlPlane.token(name) },
    });
    proxies.push({ ...running, data });
  }
  return {
    address: out,
    pids: proxies.map(({ pid }) => pid),
    stop: async () => {
      await Promise.all(proxies.map((each) => each.stop()));
      for (const { data } of proxies) rmSync(data, { recursive: true, force: true });
      await controlPlane.stop();
    },
  };
}

/** Two stock Envoys, one worker thread each. */
export async function envoyPair(backend: Place): Promise<Pair> {
  const runtime = nodeRuntime({ name: 'bench', logLevel: 'error' });
  const secrets = new WorkloadSecrets({
    runtime,
    service: meshAuthority(),
    idOf: (workload): SpiffeId => ({
      trustDomain,
      namespace: 'shop',
      serviceAccount: workload.split('/')[1] ?? '',
    }),
    onRenewed: (workload) => controlPlane.xds.renewSecrets(workload),
  });
  const controlPlane = await startControlPlane((workload) => secrets.of(workload));
  const { out, model } = await meshOf(backend);
  controlPlane.apply(model);
  const nodes = ['client', 'order'].map((id) => ({ id, cluster: 'shop' }));
  const proxies = await Promise.all(
    nodes.map((node) => startXdsEnvoy({ controlPlane, node, core: subjectCore })),
  );
  return {
    address: out,
    pids: proxies.map(({ pid }) => pid),
    stop: async () => {
      await Promise.all(proxies.map((each) => each.stop()));
      secrets.close();
      await controlPlane.stop();
    },
  };
}

/** Nobody in between. */
export async function noMesh(backend: Place): Promise<Pair> {
  return { address: backend, pids: [], stop: async () => undefined };
}

/** One service, `order`, at a place of its own for callers, and its workload with STRICT mTLS before the backend. */
async function meshOf(backend: Place): Promise<{ readonly out: Place; readonly model: MeshModel }> {
  const [out, into] = [await ownPlace(), await ownPlace()];
  const host = 'order.shop.svc.cluster.local';
  const name = clusterName({ host, port: out.port, subset: '' });
  const workload = { namespace: 'shop', serviceAccount: 'order' };
  const identity = spiffeIdOf(trustDomain, workload);
  const place = { address: into.host, port: into.port };
  const shares = [{ cluster: name, weight: 1 }];
  const model: MeshModel = {
    ...emptyModel(trustDomain),
    services: [
      {
        host,
        aliases: ['order'],
        address: out.host,
        port: out.port,
        protocol: 'grpc',
        // As the control plane writes it where nobody has said anything.
        rules: [
          {
            name: 'default',
            origin: '',
            matches: [],
            action: { kind: 'forward', shares },
            retry: {
              retries: 2,
              attemptTimeoutMs: undefined,
              on: ['connect-failure', 'refused-stream', 'unavailable', 'cancelled'],
              backoffMs: undefined,
            },
          },
        ],
        visibleIn: [],
      },
    ],
    clusters: new Map([
      [
        name,
        {
          name,
          host,
          port: out.port,
          subset: '',
          origin: '',
          protocol: 'http2',
          source: 'endpoints',
          balance: { policy: 'least_request' },
          locality: { kind: 'off' },
          pool: {},
          tls: { mode: 'auto' },
        },
      ],
    ]),
    assignments: new Map([
      [name, { cluster: name, endpoints: [{ ...place, weight: 1, health: 'healthy', locality, identity }] }],
    ]),
    workloads: new Map([
      [
        'shop/order',
        {
          ...workload,
          name: 'order',
          labels: {},
          locality,
          inbound: [
            {
              ...place,
              protocol: 'grpc',
              target: { address: backend.host, port: backend.port },
              mtls: 'strict',
            },
          ],
          policies: [],
          jwt: [],
        },
      ],
    ]),
  };
  return { out, model };
}
