// A stock client and server of `@grpc/grpc-js-xds` that follow our control plane.
import { createRequire } from 'node:module';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ServerCredentials } from '@grpc/grpc-js';
import type * as GrpcJsXds from '@grpc/grpc-js-xds';
import { certificateProvider, serverListenerTemplate } from '@heddle/mesh/xds';
import type { Place } from '../../engines/engine.ts';
import type { Contract } from '../result.ts';
import { Caller } from './scenarios/caller.ts';
import { Callers } from './scenarios/callers.ts';
import { type ControlPlane, startControlPlane } from './scenarios/control-plane.ts';
import { type Echo, echoHandler, sayMethod } from './scenarios/echo.ts';
import { meshAuthority, shown } from './scenarios/mesh-identities.ts';
import type { ClientPlane, ServerPlane } from './scenarios/plane.ts';
import { runClients } from './scenarios/run-clients.ts';
import { runServers } from './scenarios/run-servers.ts';
import { order } from './scenarios/rules.ts';

const cannot = {
  mirror: 'gRPC has no mirroring; the control plane reports it for each rule that asks for it',
  permissive:
    'gRPC’s servers cannot take both on one port; the control plane reports it, and they get plaintext',
  jwt: 'xDS has no tokens for gRPC’s servers; the control plane reports it',
};

/** The scenarios. */
export const grpcJsXds: Contract = {
  backend: 'grpc-js-xds',
  async run(only = () => true) {
    // Off by default there; read when it is loaded.
    process.env['GRPC_XDS_EXPERIMENTAL_RBAC'] = 'true';
    const { version } = createRequire(import.meta.url)('@grpc/grpc-js-xds/package.json') as {
      version: string;
    };
    const xds = await import('@grpc/grpc-js-xds');
    xds.register();
    const suite = { backend: 'grpc-js-xds', version, cannot, only };
    return [
      ...(await runClients({ ...suite, start: startClient })),
      ...(await runServers({ ...suite, start: (at, echo) => startServer(xds, at, echo) })),
    ];
  },
};

/** One program of many has a bootstrap by an option; a process has one for all. */
const ownBootstrap = 'grpc.TEST_ONLY_DO_NOT_USE_IN_PROD.xds_bootstrap_config';

async function startClient(): Promise<ClientPlane> {
  const controlPlane = await startControlPlane();
  const caller = new Caller(`xds:///${order.host}:${order.port}`, {
    [ownBootstrap]: JSON.stringify(bootstrapOf(controlPlane, 'client')),
    'grpc.use_local_subchannel_pool': 1,
  });
  return {
    apply: (model) => controlPlane.apply(model),
    say: (ask) => caller.say(ask),
    close: async () => {
      caller.close();
      await controlPlane.stop();
    },
  };
}

/** The backend itself, as a server that asks the control plane who may come. */
async function startServer(xds: typeof GrpcJsXds, at: Place, echo: Echo): Promise<ServerPlane> {
  const controlPlane = await startControlPlane();
  const authority = meshAuthority();
  const folder = mkdtempSync(path.join(tmpdir(), 'heddle-grpc-'));
  const files = writeIdentity(folder, authority);
  const bootstrap = {
    ...bootstrapOf(controlPlane, 'order'),
    server_listener_resource_name_template: serverListenerTemplate,
    certificate_providers: {
      [certificateProvider]: { plugin_name: 'file_watcher', config: { ...files, refresh_interval: '60s' } },
    },
  };
  const server = new xds.XdsServer({ [ownBootstrap]: JSON.stringify(bootstrap) });
  server.addService({ Say: sayMethod }, { Say: echoHandler(echo) });
  const secured = new xds.XdsServerCredentials(ServerCredentials.createInsecure());
  let bound = false;
  const callers = new Callers(at, authority);
  return {
    apply: (model) => {
      controlPlane.apply(model);
      if (bound) return;
      bound = true;
      server.bindAsync(`${at.host}:${at.port}`, secured, () => undefined);
    },
    say: (account, ask) => callers.say(account, ask),
    close: async () => {
      callers.close();
      server.forceShutdown();
      await controlPlane.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function writeIdentity(folder: string, authority: ReturnType<typeof meshAuthority>): Record<string, string> {
  const { certificates, privateKey, trust } = shown(authority, 'order');
  const files = {
    certificate_file: path.join(folder, 'certificates.pem'),
    private_key_file: path.join(folder, 'key.pem'),
    ca_certificate_file: path.join(folder, 'roots.pem'),
  };
  writeFileSync(files.certificate_file, certificates);
  writeFileSync(files.private_key_file, privateKey, { mode: 0o600 });
  writeFileSync(files.ca_certificate_file, trust);
  return files;
}

function bootstrapOf({ host, port }: ControlPlane, name: string): object {
  return {
    xds_servers: [
      { server_uri: `${host}:${port}`, channel_creds: [{ type: 'insecure' }], server_features: ['xds_v3'] },
    ],
    node: {
      id: name,
      cluster: 'shop',
      locality: { region: 'west', zone: 'a' },
      metadata: { GENERATOR: 'grpc', NAME: name, NAMESPACE: 'shop' },
    },
  };
}
