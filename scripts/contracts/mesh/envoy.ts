// A stock Envoy that follows our control plane, before and behind the backends of the scenarios.
import type { MeshModel } from '@heddle/mesh/model';
import { isMissing, obtain } from '../../engines/engine.ts';
import { envoy as engine, startXdsEnvoy } from '../../engines/envoy.ts';
import type { Contract } from '../result.ts';
import { skippedWhole } from '../result.ts';
import { nodeRuntime } from '@heddle/kernel/node';
import { WorkloadSecrets } from '@heddle/mesh/xds';
import type { Place, Running } from '../../engines/engine.ts';
import { authorizationOnEnvoy } from './scenarios/authorization-on-envoy.ts';
import { Caller } from './scenarios/caller.ts';
import { Callers } from './scenarios/callers.ts';
import { meshAuthority } from './scenarios/mesh-identities.ts';
import { runServers } from './scenarios/run-servers.ts';
import { type ControlPlane, startControlPlane } from './scenarios/control-plane.ts';
import type { ClientPlane, Said, ServerPlane } from './scenarios/plane.ts';
import { runClients } from './scenarios/run-clients.ts';
import { ownPlace } from './scenarios/own-place.ts';

/** The scenarios. */
export const envoy: Contract = {
  backend: 'envoy',
  async run(only = () => true) {
    const found = await obtain(engine);
    if (isMissing(found)) return skippedWhole('envoy', found.missing);
    const version = found.version;
    const suite = { backend: 'envoy', version, cannot: {}, only };
    return [
      ...(await runClients({ ...suite, start: () => startClient(false) })),
      ...(await runServers({ ...suite, start: startServer })),
      ...(await authorizationOnEnvoy(version, only)),
    ];
  },
};

/** Envoy before a backend; its certificate comes by SDS. */
async function startServer(at: Place): Promise<ServerPlane> {
  const authority = meshAuthority();
  const runtime = nodeRuntime({ name: 'control-plane', logLevel: 'error' });
  const secrets = new WorkloadSecrets({
    runtime,
    service: authority,
    idOf: () => ({ trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'order' }),
    onRenewed: (workload) => controlPlane.xds.renewSecrets(workload),
  });
  const controlPlane = await startControlPlane((workload) => secrets.of(workload));
  const proxy = await startXdsEnvoy({ controlPlane, node: { id: 'order', cluster: 'shop' } });
  const callers = new Callers(at, authority);
  return {
    apply: (model) => controlPlane.apply(model),
    say: async (account, ask) => withTrouble(await callers.say(account, ask), controlPlane, proxy),
    close: async () => {
      callers.close();
      secrets.close();
      await controlPlane.stop();
      await proxy.stop();
    },
  };
}

/** Envoy beside a client, whose call of `order` it takes on loopback. */
async function startClient(delta: boolean): Promise<ClientPlane> {
  const controlPlane = await startControlPlane();
  const place = await ownPlace();
  const node = { id: 'client.shop', cluster: 'shop', locality: { region: 'west', zone: 'a' } };
  const proxy = await startXdsEnvoy({ controlPlane, node, delta });
  const caller = new Caller(`${place.host}:${place.port}`);
  return {
    apply: (model) => controlPlane.apply(atPlace(model, place)),
    say: async (ask) => withTrouble(await caller.say(ask), controlPlane, proxy),
    close: async () => {
      caller.close();
      await controlPlane.stop();
      await proxy.stop();
    },
  };
}

/** What a call that went wrong had to do with the configuration. */
function withTrouble(said: Said, { xds }: ControlPlane, proxy: Running): Said {
  if (said.code === 0) return said;
  const refusals = xds.proxies.map(({ refusal }) => refusal ?? '').join(' ');
  return { ...said, details: `${said.details} ${refusals} ${proxy.output().slice(-1000)}` };
}

/** The services at a place of their own. */
export function atPlace(model: MeshModel, { host: address, port }: Place): MeshModel {
  return { ...model, services: model.services.map((service) => ({ ...service, address, port })) };
}
