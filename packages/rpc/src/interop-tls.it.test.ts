import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '@connectrpc/connect';
import * as grpc from '@grpc/grpc-js';
import { nodeRuntime, TlsStore } from '@heddle/kernel/node';
import { TestAuthority } from '@heddle/kernel/testing';
import { createTransport } from './client/create-transport.ts';
import { type EchoRequest, type EchoResponse, EchoService } from './gen/heddle/testing/v1/echo_pb.ts';
import { rpcServer } from './server/rpc-server.ts';
import { echoHandlers } from './testing/echo-handlers.ts';
import { grpcJsService } from './testing/grpc-js-service.ts';

// grpc-js and we, over TLS with certificates on both sides, in both roles.

const runtime = nodeRuntime({ name: 'interop', logLevel: 'error' });
const authority = new TestAuthority('authority', runtime.clock.wallMs());
const trust = authority.certificate;
const own = authority.issue({ addresses: ['127.0.0.1'], dnsNames: ['localhost'] });
const source = new TlsStore({ identities: [own], trust });
const bytes = {
  ca: Buffer.from(trust),
  cert: Buffer.from(own.certificates),
  key: Buffer.from(own.privateKey),
};
const text = 'x'.repeat(100_000);

type Answer = (error: grpc.ServiceError | null, response?: EchoResponse) => void;
interface EchoClient extends grpc.Client {
  echo(req: Partial<EchoRequest>, answer: Answer): grpc.ClientUnaryCall;
}

test('the client of grpc-js with our server', async () => {
  const server = rpcServer({
    runtime,
    tls: { source, clients: 'require' },
    routes: (router) => router.service(EchoService, echoHandlers('heddle')),
  });
  await server.start();
  const Client = grpc.makeGenericClientConstructor(grpcJsService(EchoService), 'Echo');
  const ask = (credentials: grpc.ChannelCredentials): Promise<EchoResponse> => {
    // It asks for the name of its target, which Node no longer lets be an address.
    const options = { 'grpc.ssl_target_name_override': 'localhost' };
    const at = `127.0.0.1:${server.address.port}`;
    const client = new Client(at, credentials, options) as unknown as EchoClient;
    return new Promise<EchoResponse>((resolve, reject) => {
      client.echo({ text }, (error, response) =>
        response === undefined ? reject(error ?? new Error('none')) : resolve(response),
      );
    }).finally(() => client.close());
  };
  try {
    assert.equal((await ask(grpc.credentials.createSsl(bytes.ca, bytes.key, bytes.cert))).text, text);
    await assert.rejects(ask(grpc.credentials.createSsl(bytes.ca)), { code: grpc.status.UNAVAILABLE });
  } finally {
    await server.stop();
  }
});

test('our client with the server of grpc-js', async () => {
  const server = new grpc.Server();
  server.addService(grpcJsService(EchoService), {
    echo: (
      call: grpc.ServerUnaryCall<EchoRequest, Partial<EchoResponse>>,
      done: grpc.sendUnaryData<Partial<EchoResponse>>,
    ) => done(null, { text: call.request.text }),
  });
  const pair = { cert_chain: bytes.cert, private_key: bytes.key };
  const credentials = grpc.ServerCredentials.createSsl(bytes.ca, [pair], true);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  const transport = createTransport({ runtime, target: `127.0.0.1:${port}`, tls: { source } });
  try {
    assert.equal((await createClient(EchoService, transport).echo({ text })).text, text);
  } finally {
    transport.close();
    server.forceShutdown();
  }
});
