// A program of ours without a proxy: the rules are around its own client and its own server of RPC.
import { codes, HeddleError, type Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { InProcessPlane } from '@heddle/mesh/in-process';
import { ControlPlaneClient, ModelFollower } from '@heddle/mesh/plane';
import { httpServer, rpcService, type ServerPart, transportOver } from '@heddle/rpc';
import { type HeldIdentity, KeptIdentity } from '@heddle/security/identity';
import type { Place } from '../../engines/engine.ts';
import type { Contract } from '../result.ts';
import { Callers } from './scenarios/callers.ts';
import type { Echo } from './scenarios/echo.ts';
import { echoService, sayDescription } from './scenarios/echo-service.ts';
import { meshAuthority } from './scenarios/mesh-identities.ts';
import { type OwnControlPlane, startOwnControlPlane } from './scenarios/own-control-plane.ts';
import type { Ask, ClientPlane, Said, ServerPlane } from './scenarios/plane.ts';
import { order } from './scenarios/rules.ts';
import { runClients } from './scenarios/run-clients.ts';
import { runServers } from './scenarios/run-servers.ts';

/** The scenarios. */
export const inProcess: Contract = {
  backend: 'in-process',
  async run(only = () => true) {
    const suite = { backend: 'in-process', version: '0.1.0', cannot: {}, only };
    return [
      ...(await runClients({ ...suite, start: startClient })),
      ...(await runServers({ ...suite, start: startServer })),
    ];
  },
};

/** What a program needs to be part of a mesh. */
interface Member {
  readonly runtime: Runtime;
  readonly plane: InProcessPlane;
  stop(): Promise<void>;
}

async function join(controlPlane: OwnControlPlane, account: string): Promise<Member> {
  const runtime = nodeRuntime({ name: account, logLevel: 'error' });
  const token = controlPlane.token(account);
  const client: ControlPlaneClient = new ControlPlaneClient({
    runtime,
    addresses: [controlPlane],
    token: () => token,
    held: () => heldBy(identity),
  });
  const identity: KeptIdentity = new KeptIdentity(runtime, client.certificate);
  await identity.start();
  const workload = `shop/${account}`;
  const plane = new InProcessPlane({
    runtime,
    workload,
    identity,
    locality: { region: 'west', zone: 'a', subZone: '' },
    files: () => undefined,
    lookUp: () => Promise.resolve([]),
    remoteKeys: (url) => {
      throw new Error(`no rule names keys elsewhere, found ${url}`);
    },
  });
  const follower = new ModelFollower({
    runtime,
    plane: 'in-process',
    node: workload,
    workload,
    ask: client.model,
    apply: (model) => plane.apply(model),
  });
  await follower.start();
  return {
    runtime,
    plane,
    stop: async () => {
      await follower.stop();
      identity.close();
      plane.close();
      client.close();
    },
  };
}

function heldBy(identity: KeptIdentity): HeldIdentity | undefined {
  try {
    return identity.held;
  } catch {
    return undefined;
  }
}

async function startClient(): Promise<ClientPlane> {
  const controlPlane = await startOwnControlPlane(meshAuthority());
  const member = await join(controlPlane, 'client');
  const { runtime, plane } = member;
  const transport = transportOver(plane.http, { runtime, authority: `${order.host}:${order.port}` });
  const say = async ({ metadata, timeoutMs = 30_000 }: Ask = {}): Promise<Said> => {
    const startedMs = performance.now();
    const took = (): number => performance.now() - startedMs;
    try {
      const { message } = await transport.unary(
        sayDescription,
        undefined,
        timeoutMs,
        metadata === undefined ? undefined : { ...metadata },
        { value: 'hello' },
      );
      return { code: 0, from: message.value, details: '', tookMs: took() };
    } catch (thrown) {
      const { code, message } = HeddleError.from(thrown);
      return { code: codes.indexOf(code) + 1, from: '', details: message, tookMs: took() };
    }
  };
  return {
    apply: (model) => controlPlane.apply(model),
    say,
    close: async () => {
      await member.stop();
      await controlPlane.stop();
    },
  };
}

/** The backend itself, as a server of ours that is behind the rules. */
async function startServer(at: Place, echo: Echo): Promise<ServerPlane> {
  const authority = meshAuthority();
  const controlPlane = await startOwnControlPlane(authority);
  const member = await join(controlPlane, 'order');
  const { runtime, plane } = member;
  const service = rpcService((router) => echoService(router, echo));
  const server: ServerPart = httpServer(plane.guard(at.port)(service), {
    runtime,
    address: at,
    ...(plane.tls !== undefined && { tls: plane.tls }),
  });
  await server.start();
  const callers = new Callers(at, authority);
  return {
    apply: (model) => controlPlane.apply(model),
    say: (account, ask) => callers.say(account, ask),
    close: async () => {
      callers.close();
      await server.stop();
      await member.stop();
      await controlPlane.stop();
    },
  };
}
