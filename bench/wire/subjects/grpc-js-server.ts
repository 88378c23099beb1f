import { once } from 'node:events';
import {
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { parseStreamRequest, streamMessage } from '../payload.ts';
import { announce } from './announce.ts';
import { echo } from './grpc-js-echo.ts';

const server = new Server();
server.addService(echo, {
  Unary: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => done(null, call.request),
  ServerStream: (call: ServerWritableStream<Buffer, Buffer>) => void stream(call),
});
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  announce(port);
});

async function stream(call: ServerWritableStream<Buffer, Buffer>): Promise<void> {
  const { count, size } = parseStreamRequest(call.request);
  const message = streamMessage(size);
  for (let i = 0; i < count; i++) if (!call.write(message)) await once(call, 'drain');
  call.end();
}
