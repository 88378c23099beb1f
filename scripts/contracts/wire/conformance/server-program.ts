// Our RPC server as the conformance runner starts it: it reads what is wanted, says where it listens, and serves until
// it is ended. The runner ends its input at once, so that a runner that was killed is noticed by being no parent any more.
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

const runtime = nodeRuntime({ name: 'conformance', logLevel: 'error' });

function tlsOf({ serverCreds, clientTlsCert }: ServerCompatRequest): ServeTls | undefined {
  if (serverCreds === undefined) return undefined;
  const [certificates, privateKey, trust] = [serverCreds.cert, serverCreds.key, clientTlsCert].map((pem) =>
    Buffer.from(pem).toString(),
  ) as [string, string, string];
  const identities = [{ certificates, privateKey }];
  if (trust === '') return { source: new TlsStore({ identities }) };
  return { source: new TlsStore({ identities, trust }), clients: 'require' };
}

for await (const wanted of delimited(ServerCompatRequestSchema, process.stdin)) {
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
  process.stdout.write(
    delimit(ServerCompatResponseSchema, create(ServerCompatResponseSchema, { host, port, pemCert })),
  );
}
const { ppid } = process;
setInterval(() => {
  if (process.ppid !== ppid) process.exit(1);
}, 500);
