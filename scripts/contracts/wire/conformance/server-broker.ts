// Our RPC server as the conformance runner wants it: it starts a program for each kind of server. That program is the
// relay beside this file, which passes on what is wanted to this process; to start the real thing anew each time
// would take longer than the runner waits on a busy machine.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { create } from '@bufbuild/protobuf';
import { nodeRuntime, TlsStore } from '@heddle/kernel/node';
import { rpcServer } from '@heddle/rpc';
import type { ServeTls } from '@heddle/wire';
import { conformanceService, noteQuery } from './conformance-service.ts';
import { delimit, delimited } from './delimited.ts';
import {
  type ServerCompatRequest,
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from './gen/connectrpc/conformance/v1/server_compat_pb.ts';
import { ConformanceService } from './gen/connectrpc/conformance/v1/service_pb.ts';

/** Where relays find us. */
export interface Broker {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts one on a free port. A server lives as long as the connection on which it was wanted. */
export async function startBroker(): Promise<Broker> {
  const open = new Set<Socket>();
  const broker = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => {});
    serveOn(socket).catch((error: unknown) => socket.destroy(error as Error));
  });
  broker.listen(0, '127.0.0.1');
  await once(broker, 'listening');
  return {
    port: (broker.address() as AddressInfo).port,
    stop: async () => {
      for (const socket of open) socket.destroy();
      broker.close();
      await once(broker, 'close');
    },
  };
}

const runtime = nodeRuntime({ name: 'conformance', logLevel: 'error' });

async function serveOn(socket: Socket): Promise<void> {
  const gone = once(socket, 'close');
  const chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  for await (const wanted of delimited(ServerCompatRequestSchema, chunks)) {
    const tls = tlsOf(wanted);
    const limit = wanted.messageReceiveLimit;
    const server = rpcServer({
      runtime,
      routes: (router) => router.service(ConformanceService, conformanceService),
      layers: [noteQuery],
      ...(tls === undefined ? {} : { tls }),
      ...(limit === 0 ? {} : { maxMessageBytes: limit }),
    });
    await server.start?.();
    const { host, port } = server.address;
    const pemCert = wanted.serverCreds?.cert ?? new Uint8Array(0);
    const response = create(ServerCompatResponseSchema, { host, port, pemCert });
    socket.write(delimit(ServerCompatResponseSchema, response));
    void gone.then(() => server.stop?.());
  }
}

function tlsOf({ serverCreds, clientTlsCert }: ServerCompatRequest): ServeTls | undefined {
  if (serverCreds === undefined) return undefined;
  const textOf = (pem: Uint8Array): string => Buffer.from(pem).toString();
  const identities = [{ certificates: textOf(serverCreds.cert), privateKey: textOf(serverCreds.key) }];
  const trust = textOf(clientTlsCert);
  if (trust === '') return { source: new TlsStore({ identities }) };
  return { source: new TlsStore({ identities, trust }), clients: 'require' };
}
