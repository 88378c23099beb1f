import { nodeRuntime } from '@heddle/kernel/node';
import type { MeshModel } from '@heddle/mesh/model';
import { AggregatedDiscoveryService, type Resources, XdsServer } from '@heddle/mesh/xds';
import { rpcServer } from '@heddle/rpc';
import type { Place } from '../../../engines/engine.ts';

/** A control plane on loopback. */
export interface ControlPlane extends Place {
  readonly xds: XdsServer;
  apply(model: MeshModel): void;
  stop(): Promise<void>;
}

/** Starts one on a free port. */
export async function startControlPlane(secrets?: (workload: string) => Resources): Promise<ControlPlane> {
  const runtime = nodeRuntime({ name: 'control-plane', logLevel: 'error' });
  const xds = new XdsServer({
    runtime,
    trustDomain: 'cluster.local',
    ...(secrets !== undefined && { secrets }),
  });
  const server = rpcServer({
    runtime,
    routes: (router) => router.service(AggregatedDiscoveryService, xds.handlers),
  });
  await server.start();
  return {
    ...server.address,
    xds,
    apply: (model) => xds.update(model),
    stop: async () => {
      xds.close();
      await server.drain();
      await server.stop();
    },
  };
}
