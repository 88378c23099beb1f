// Our own sidecar as its users run it, before and behind the backends of the scenarios.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { StartedCli } from '../../../apps/heddle/src/node/started-cli.ts';
import type { Place } from '../../engines/engine.ts';
import type { Contract } from '../result.ts';
import { atPlace } from './envoy.ts';
import { Caller } from './scenarios/caller.ts';
import { Callers } from './scenarios/callers.ts';
import { meshAuthority } from './scenarios/mesh-identities.ts';
import { type OwnControlPlane, startOwnControlPlane } from './scenarios/own-control-plane.ts';
import { ownPlace } from './scenarios/own-place.ts';
import type { ClientPlane, Said, ServerPlane } from './scenarios/plane.ts';
import { runClients } from './scenarios/run-clients.ts';
import { runServers } from './scenarios/run-servers.ts';

/** The scenarios. */
export const proxy: Contract = {
  backend: 'proxy',
  async run(only = () => true) {
    const suite = { backend: 'proxy', version: '0.1.0', cannot: {}, only };
    return [
      ...(await runClients({ ...suite, start: startClient })),
      ...(await runServers({ ...suite, start: startServer })),
    ];
  },
};

/** A sidecar beside a client, whose call of `order` it takes on loopback. */
async function startClient(): Promise<ClientPlane> {
  const controlPlane = await startOwnControlPlane(meshAuthority());
  const place = await ownPlace();
  const proxied = await startSidecar(controlPlane, 'client', ['--locality', 'west/a']);
  const caller = new Caller(`${place.host}:${place.port}`);
  return {
    apply: (model) => controlPlane.apply(atPlace(model, place)),
    say: async (ask) => withTrouble(await caller.say(ask), proxied),
    close: async () => {
      caller.close();
      await proxied.stop();
      await controlPlane.stop();
    },
  };
}

/** A sidecar before a backend; its certificate comes from the control plane. */
async function startServer(at: Place): Promise<ServerPlane> {
  const authority = meshAuthority();
  const controlPlane = await startOwnControlPlane(authority);
  const proxied = await startSidecar(controlPlane, 'order', []);
  const callers = new Callers(at, authority);
  return {
    apply: (model) => controlPlane.apply(model),
    say: async (account, ask) => withTrouble(await callers.say(account, ask), proxied),
    close: async () => {
      callers.close();
      await proxied.stop();
      await controlPlane.stop();
    },
  };
}

interface StartedSidecar {
  readonly cli: StartedCli;
  stop(): Promise<void>;
}

async function startSidecar(
  { host, port, token }: OwnControlPlane,
  account: string,
  more: readonly string[],
): Promise<StartedSidecar> {
  const data = mkdtempSync(path.join(tmpdir(), 'heddle-sidecar-'));
  const place = ['--control-plane', `${host}:${port}`, '--workload', `shop/${account}`];
  const cli = new StartedCli(['sidecar', ...place, '--dns', 'off', '--data', data, ...more], {
    HEDDLE_MESH_TOKEN: token(account),
  });
  const stop = async (): Promise<void> => {
    cli.child.kill('SIGTERM');
    await cli.exited;
    rmSync(data, { recursive: true, force: true });
  };
  try {
    await cli.printed(/"ready"|\bready\b/);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return { cli, stop };
}

/** What a call that went wrong had to do with the sidecar. */
function withTrouble(said: Said, { cli }: StartedSidecar): Said {
  return said.code === 0 ? said : { ...said, details: `${said.details} ${cli.output.slice(-1000)}` };
}
