// The table of what abuses HTTP/2 without breaking it, over real sockets, beside a client that behaves.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { nodeRuntime } from '@heddle/kernel/node';
import { serve } from '@heddle/wire';
import { errorCode } from '../../../packages/wire/src/http2/error-code.ts';
import { type Flood, floods as table } from '../../../packages/wire/src/http2/testdata/floods.ts';
import { FrameLog, hello } from '../../../packages/wire/src/http2/testdata/raw-frames.ts';
import { nothingService } from '../../../packages/wire/src/http2/testdata/server-by-hand.ts';
import { type Contract, type ContractResult, resultOf } from '../result.ts';

const backend = 'floods';
const limitMs = 30_000;
const turnsAtOnce = 100;
const mostTurns = 200_000;
const mostGrowthBytes = 64 * 1024 * 1024;

/** Each row of the table is a result: the connection is closed in time and for that reason, memory stays, others are served. */
export const floods: Contract = {
  backend,
  run: async () => {
    const results: ContractResult[] = [];
    for (const flood of table) results.push(await resultOf(backend, '', flood.name, () => withstand(flood)));
    return results;
  },
};

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function withstand(flood: Flood): Promise<void> {
  const runtime = nodeRuntime({ name: 'floods', logLevel: 'error' });
  const service: typeof nothingService = (request, call) =>
    request.path === '/bystander'
      ? nothingService(request, call)
      : (flood.service ?? nothingService)(request, call);
  const server = await serve(service, { runtime, address: { host: '127.0.0.1', port: 0 } });
  const { port } = server.address;
  try {
    await ask(port);
    const before = memory();
    const log = await attack(port, flood);
    assert.equal(log.goaway, errorCode.enhanceYourCalm, 'the code of GOAWAY');
    assert.ok(memory() - before < mostGrowthBytes, `memory grew by ${memory() - before} bytes`);
    await ask(port);
  } finally {
    await server.stop();
  }
}

/** What is still held, garbage aside: the attacker, in this same process, leaves a lot of that. */
function memory(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Sends turn after turn, as fast as the server takes them, until it closes the connection; gives what it said. */
function attack(port: number, { first = [], turn }: Flood): Promise<FrameLog> {
  return new Promise((resolve) => {
    const log = new FrameLog();
    const socket = connect({ host: '127.0.0.1', port });
    const late = setTimeout(() => socket.destroy(), limitMs);
    let turns = 0;
    const more = (): void => {
      while (socket.writable && turns < mostTurns) {
        const batch = Array.from({ length: turnsAtOnce }, () => turn(turns++)).flat();
        if (!socket.write(Buffer.concat(batch))) return;
      }
    };
    socket.on('connect', () => {
      socket.write(Buffer.concat([hello, ...first]));
      more();
    });
    socket.on('data', (chunk: Buffer) => log.read(chunk));
    socket.on('drain', more);
    // That the server resets the connection while we still write is its right; whether it said why is looked at later.
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      clearTimeout(late);
      resolve(log);
    });
  });
}

/** One honest exchange over a connection of its own. */
async function ask(port: number): Promise<void> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  try {
    const stream = session.request({ ':path': '/bystander' });
    stream.resume();
    const [head] = (await once(stream, 'response', { signal: AbortSignal.timeout(limitMs) })) as [
      Record<string, unknown>,
    ];
    assert.equal(head[':status'], 200, 'the status of an honest request');
  } finally {
    session.destroy();
  }
}
