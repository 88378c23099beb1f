// A client of NestJS's gRPC microservices, as an application gets it: grpc-js with round_robin beneath, rxjs above.
import 'reflect-metadata';
import { writeFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ClientProxyFactory, Transport } from '@nestjs/microservices';
import { firstValueFrom, type Observable } from 'rxjs';
import { unaryMessage } from '../../wire/payload.ts';
import { announce, callsAtOnce } from '../../wire/subjects/announce.ts';

const protoPath = path.join(mkdtempSync(path.join(tmpdir(), 'heddle-bench-')), 'echo.proto');
writeFileSync(
  protoPath,
  `syntax = "proto3";
package bench;
message Payload { bytes body = 1; }
service Echo { rpc Unary(Payload) returns (Payload); }
`,
);
const client = ClientProxyFactory.create({
  transport: Transport.GRPC,
  options: {
    package: 'bench',
    protoPath,
    url: `ipv4:${process.argv.slice(2).join(',')}`,
    channelOptions: {
      'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
    },
  },
}) as unknown as { getService<T>(name: string): T };
const echo = client.getService<{ unary(request: object): Observable<{ body: Uint8Array }> }>('Echo');
const request = { body: unaryMessage.subarray(2) };

async function call(): Promise<void> {
  const { body } = await firstValueFrom(echo.unary(request));
  if (body.length !== unaryMessage.length - 2) throw new Error('not an echo');
}

announce(0, callsAtOnce(call));
