import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { wholeBody } from '../message/body.ts';
import { errorCode } from './error-code.ts';
import { flag, frameType } from './frame.ts';
import { request } from './testdata/client-by-hand.ts';
import { ask, connected, served } from './testdata/over-sockets.ts';
import {
  block,
  data,
  FrameLog,
  frame,
  get,
  headers,
  hello,
  settings,
  uint32,
} from './testdata/raw-frames.ts';

const odd = (turn: number): number => 2 * turn + 1;
const bound = { timeout: 60_000 };

interface Attack {
  readonly name: string;
  readonly first?: Buffer;
  readonly turn: (turn: number) => Buffer;
}

const attacks: readonly Attack[] = [
  {
    name: 'rapid reset',
    turn: (turn) =>
      Buffer.concat([headers(odd(turn), get()), frame(3, 0, odd(turn), uint32(errorCode.cancel))]),
  },
  {
    name: 'resets that the server is made to send',
    turn: (turn) =>
      Buffer.concat([headers(odd(turn), get(), false), frame(8, 0, odd(turn), uint32(0x7fff_ffff))]),
  },
  {
    name: 'CONTINUATION',
    first: frame(frameType.headers, 0, 1, block(get())),
    turn: () => frame(frameType.continuation, 0, 1, block([['x-a', 'b'.repeat(1000)]])),
  },
  { name: 'empty CONTINUATION', first: frame(1, 0, 1, block(get())), turn: () => frame(9, 0, 1) },
  { name: 'SETTINGS', turn: (turn) => settings([4, turn]) },
  { name: 'PING', turn: () => frame(frameType.ping, 0, 0, Buffer.alloc(8)) },
  { name: 'PRIORITY', turn: (turn) => frame(frameType.priority, 0, odd(turn), Buffer.alloc(5)) },
  { name: 'unknown frames', turn: () => frame(0xee, 0, 0, Buffer.alloc(50)) },
  { name: 'empty DATA', first: headers(1, get(), false), turn: () => data(1, '') },
  {
    name: 'HPACK bomb',
    first: headers(1, [...get(), ['cookie', 'c'.repeat(3000)]]),
    turn: (turn) =>
      headers(odd(turn + 1), [...get(), ...Array<[string, string]>(400).fill(['cookie', 'a=b'])]),
  },
  {
    name: 'padding',
    first: headers(1, get(), false),
    turn: () => frame(frameType.data, flag.padded, 1, Buffer.concat([Buffer.of(200), Buffer.alloc(200)])),
  },
];

/** Attacks until the server closes the connection. Gives what the server said. */
function attack(port: number, { first = Buffer.alloc(0), turn }: Attack): Promise<FrameLog> {
  return new Promise((resolve) => {
    const log = new FrameLog();
    const socket = connect({ host: '127.0.0.1', port });
    let turns = 0;
    const more = (): void => {
      while (socket.writable && turns < 1_000_000) {
        const batch = Buffer.concat(Array.from({ length: 100 }, () => turn(turns++)));
        if (!socket.write(batch)) return;
      }
    };
    socket.on('data', (chunk: Buffer) => log.read(chunk));
    socket.on('drain', more);
    socket.on('error', () => {});
    socket.on('close', () => resolve(log));
    socket.on('end', () => socket.end());
    socket.on('connect', () => {
      socket.write(Buffer.concat([hello, first]));
      more();
    });
  });
}

describe('under attack', () => {
  for (const each of attacks) {
    test(
      `${each.name}: the attacker is shut out, a bystander is served, and memory stays`,
      bound,
      async () => {
        const server = await served();
        const bystander = await connected(server.address);
        const content = Buffer.from('still here');
        const ping = async (): Promise<void> => {
          const response = await ask(bystander, request({ method: 'POST', body: wholeBody(content) }));
          assert.ok(content.equals(await response.body.bytes(100)));
        };
        await ping();
        const before = process.memoryUsage();
        let attacking = true;
        const attackers = Promise.all([attack(server.address.port, each), attack(server.address.port, each)]);
        void attackers.then(() => (attacking = false));
        let answered = 0;
        do {
          await ping();
          answered++;
        } while (attacking);
        for (const log of await attackers) assert.equal(log.goaway, errorCode.enhanceYourCalm);
        await ping();
        const grown = process.memoryUsage();
        const bytes = grown.heapUsed + grown.arrayBuffers - before.heapUsed - before.arrayBuffers;
        assert.ok(bytes < 64_000_000, `${bytes} bytes more than before, with ${answered} answers`);
        const [, ...closed] = server.connections;
        assert.deepEqual(
          closed.map(({ activeStreams }) => activeStreams),
          closed.map(() => 0),
        );
        bystander.destroy();
        await server.stop();
      },
    );
  }
});
