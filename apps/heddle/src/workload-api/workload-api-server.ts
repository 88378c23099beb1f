import type { Runtime } from '@heddle/kernel';
import { unixSocketNet } from '@heddle/kernel/node';
import {
  SpiffeWorkloadAPI,
  workloadApi,
  type WorkloadIdentity,
  type WorkloadTokens,
} from '@heddle/mesh/workload-api';
import { metadata, rpcServer, type ServerPart } from '@heddle/rpc';

/** What it is made from. */
export interface WorkloadApiServerOptions {
  readonly runtime: Runtime;
  /** Of the socket. Whoever may open its file is the workload: it is for its user and group alone. */
  readonly path: string;
  readonly identity: WorkloadIdentity;
  readonly tokens: WorkloadTokens;
}

/** The Workload API of SPIFFE at a Unix socket, for the one workload that this process speaks for. */
export function workloadApiServer({ runtime, path, identity, tokens }: WorkloadApiServerOptions): ServerPart {
  const handlers = workloadApi({
    identity,
    tokens,
    header: (call, name) => call.get(metadata)?.request.get(name) ?? undefined,
  });
  return rpcServer({
    runtime: { ...runtime, net: unixSocketNet({ path }) },
    routes: (router) => router.service(SpiffeWorkloadAPI, handlers),
  });
}
