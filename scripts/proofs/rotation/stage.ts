// Two stock Envoys and a client and a server of ours in one mesh, whose certificates live for a moment.
import { nodeRuntime } from '@heddle/kernel/node';
import { loadResources } from '@heddle/mesh/resources';
import { MeshTranslation } from '@heddle/mesh/translate';
import { WorkloadSecrets } from '@heddle/mesh/xds';
import { httpServer } from '@heddle/rpc';
import {
  type AuthorityMaterial,
  CertificateService,
  KeptIdentity,
  makeRoot,
} from '@heddle/security/identity';
import { Fields, wholeBody } from '@heddle/wire';
import { type ControlPlane, startControlPlane } from '../../contracts/mesh/scenarios/control-plane.ts';
import { type Backend, startBackend } from '../../contracts/mesh/scenarios/http-backend.ts';
import { ownPlace } from '../../contracts/mesh/scenarios/own-place.ts';
import type { Place, Running } from '../../engines/engine.ts';
import { startXdsEnvoy } from '../../engines/envoy.ts';

const runtime = nodeRuntime({ name: 'rotation', logLevel: 'error' });
const trustDomain = 'cluster.local';
const dayMs = 86_400_000;

/** What there is to be called, and who vouches for it. */
export interface Stage {
  readonly authority: CertificateService;
  readonly material: AuthorityMaterial;
  readonly secrets: WorkloadSecrets;
  /** Of our own client and server. */
  readonly web: KeptIdentity;
  readonly order: KeptIdentity;
  /** The plain side of the calling Envoy, the TLS side of the called one, and our own server. */
  readonly places: { readonly client: Place; readonly server: Place; readonly own: Place };
  stop(): Promise<void>;
}

/** A root of its own. */
export function newRoot(): AuthorityMaterial {
  return makeRoot(trustDomain, runtime.clock.wallMs(), dayMs, runtime.random.bytes(16));
}

/** Starts all of it. */
export async function startStage(lifeMs: number): Promise<Stage> {
  const material = newRoot();
  const authority = new CertificateService({ runtime, trustDomain, authority: material, lifeMs });
  const idOf = (workload: string): { trustDomain: string; namespace: string; serviceAccount: string } => {
    const [namespace = '', serviceAccount = ''] = workload.split('/');
    return { trustDomain, namespace, serviceAccount };
  };
  const onRenewed = (workload: string): void => controlPlane.xds.renewSecrets(workload);
  const secrets = new WorkloadSecrets({ runtime, service: authority, idOf, onRenewed });
  const controlPlane: ControlPlane = await startControlPlane((workload) => secrets.of(workload));
  const backend = await startBackend('order');
  const [client, server] = [await ownPlace(), { host: (await ownPlace()).host, port: backend.port }];
  controlPlane.apply(modelOf(backend, client, server));
  const envoys = [
    await startXdsEnvoy({ controlPlane, node: { id: 'web', cluster: 'shop' } }),
    await startXdsEnvoy({ controlPlane, node: { id: 'order', cluster: 'shop' } }),
  ];
  const identity = async (name: string): Promise<KeptIdentity> => {
    const kept = new KeptIdentity(runtime, async (request) => authority.issue(idOf(`shop/${name}`), request));
    await kept.start();
    return kept;
  };
  const [web, order] = [await identity('web'), await identity('order')];
  const own = httpServer(
    async () => ({ status: 200, fields: new Fields(), body: wholeBody(Buffer.from('order')) }),
    { runtime, tls: { source: order, clients: 'require' } },
  );
  await own.start();
  const stop = async (): Promise<void> => {
    for (const kept of [web, order]) kept.close();
    secrets.close();
    await own.drain();
    await own.stop();
    for (const envoy of envoys satisfies readonly Running[]) await envoy.stop();
    await controlPlane.stop();
    await backend.stop();
  };
  return { authority, material, secrets, web, order, places: { client, server, own: own.address }, stop };
}

function modelOf({ port }: Backend, client: Place, server: Place): MeshTranslation['model'] {
  const text = `
apiVersion: v1
kind: Service
metadata: {name: order, namespace: shop}
spec: {selector: {app: order}, ports: [{name: http, port: ${client.port}, targetPort: ${port}}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: all, namespace: shop}
spec: {mtls: {mode: STRICT}}
`;
  const translation = new MeshTranslation({
    addressOf: () => client.host,
    inboundOf: (_, at) => ({ address: server.host, port: at }),
  });
  const instance = {
    namespace: 'shop',
    ports: {},
    locality: { region: '', zone: '', subZone: '' },
    weight: 1,
    health: 'healthy',
    meshTls: true,
    address: server.host,
  } as const;
  translation.rules(loadResources([{ file: 'rotation.yaml', text }]).resources);
  return translation.instances([
    ['order', { ...instance, workload: 'order', labels: { app: 'order' }, serviceAccount: 'order' }],
    ['web', { ...instance, workload: 'web', labels: { app: 'web' }, serviceAccount: 'web' }],
  ]);
}
