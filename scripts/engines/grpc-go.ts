// grpc-go: our echo peer over it, and its own interop programs, all of the version that grpc-go/go.mod pins.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { contentKey } from './cache.ts';
import { lastWords, run } from './command.ts';
import type { Engine, Pinned, Tool } from './engine.ts';
import { required } from './engine.ts';
import { type EchoEngine, verifyEcho } from './echo-engine.ts';
import { buildWithGo, findBuilt, type GoBuild } from './go.ts';
import { startPeer } from './peer.ts';
import { freePlace, startServer } from './running.ts';

const source = path.join(import.meta.dirname, 'grpc-go');
const version =
  /google\.golang\.org\/grpc v([\d.]+)/.exec(readFileSync(path.join(source, 'go.mod'), 'utf8'))?.[1] ?? '';
const interop = 'google.golang.org/grpc/interop';

function built(program: string, from: string): GoBuild {
  return {
    key: `${program}-${contentKey(source)}`,
    version,
    program,
    cwd: source,
    commands: (folder) => [['build', '-o', path.join(folder, program), from]],
  };
}

const echoBuild = built('grpc-go', '.');

/** The service `bench.Echo` on grpc-go, messages not decoded. */
export const grpcGo: EchoEngine = {
  name: 'grpc-go',
  find: () => findBuilt(echoBuild),
  install: () => buildWithGo(echoBuild),
  verify: () => verifyEcho(grpcGo),
  start: async ({ target, core }) => {
    const { path: command } = await required(grpcGo);
    const args = target === undefined ? ['server'] : ['client', `${target.host}:${target.port}`];
    return startPeer({ name: 'grpc-go', command, args, ...(core !== undefined && { core }) });
  },
};

const serverBuild = built('grpc-go-interop-server', `${interop}/server`);
const clientBuild = built('grpc-go-interop-client', `${interop}/client`);

/** grpc-go's interop client; `--server_host`, `--server_port`, `--test_case`. */
export const grpcGoInteropClient: Tool = {
  name: 'grpc-go-interop-client',
  find: () => findBuilt(clientBuild),
  install: () => buildWithGo(clientBuild),
  verify: async () => {
    const server = await grpcGoInteropServer.start({});
    try {
      const { port } = server.address;
      const client = await required(grpcGoInteropClient);
      const done = await run(client.path, [
        `--server_port=${port}`,
        '--server_host=127.0.0.1',
        '--test_case=large_unary',
      ]);
      if (done.code !== 0) throw new Error(lastWords(done.output));
    } finally {
      await server.stop();
    }
  },
};

/** grpc-go's interop server, without TLS. */
export const grpcGoInteropServer: Engine<Pinned> = {
  name: 'grpc-go-interop-server',
  find: () => findBuilt(serverBuild),
  install: () => buildWithGo(serverBuild),
  // The client's verification starts it.
  verify: async () => {
    const server = await grpcGoInteropServer.start({});
    await server.stop();
  },
  start: async ({ core }) => {
    const { path: command } = await required(grpcGoInteropServer);
    const address = await freePlace();
    const args = [`--port=${address.port}`];
    return startServer({
      name: 'grpc-go-interop-server',
      command,
      args,
      address,
      ...(core !== undefined && { core }),
    });
  },
};
