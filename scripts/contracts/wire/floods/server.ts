// The server under attack: a process of its own, so that what it holds can be measured and nothing else is in it.
import process from 'node:process';
import type { Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { Fields, type HttpService, serve, streamBody, wholeBody } from '@heddle/wire';

/** What it is told: how requests that are not of the bystander are answered, or to say what it holds. */
export interface Command {
  readonly answer?: 'nothing' | 'never';
}

/** What it says after each command, garbage aside. */
export interface Report {
  readonly port: number;
  readonly rssBytes: number;
  readonly connections: number;
  /** Names of the codes that HTTP/2 connections were closed with as abusers, by the peer's port, since the last report. */
  readonly abusers: Readonly<Record<number, string>>;
  /** What the server has counted since its start, by name: abuse of HTTP/2, and refusals of HTTP/1.1. */
  readonly counters: Readonly<Record<string, number>>;
}

const largeBytes = 64 * 1024 * 1024;
const piece = new Uint8Array(64 * 1024);
let answer: Command['answer'] = 'nothing';

const service: HttpService = async (request, call) => {
  if (request.path === '/bystander')
    return { status: 200, fields: new Fields(), body: wholeBody(Buffer.from('here')) };
  if (request.path === '/large') return { status: 200, fields: new Fields(), body: streamBody(large()) };
  if (answer === 'never') return new Promise((_resolve, reject) => call.onCancel(reject));
  await request.body.bytes(1_000_000);
  return { status: 200, fields: new Fields(), body: wholeBody(new Uint8Array(0)) };
};

async function* large(): AsyncGenerator<Uint8Array, void> {
  for (let sent = 0; sent < largeBytes; sent += piece.length) yield piece;
}

let abusers: Record<number, string> = {};
const runtime: Runtime = {
  ...nodeRuntime({ name: 'floods', logLevel: 'error' }),
  // One line for each abuser is what an operator sees; here it also says why one was closed who never read it.
  log: (_level, _message, fields = {}) => {
    const port = /:(\d+)$/.exec(String(fields['peer']))?.[1];
    if (port !== undefined) abusers[Number(port)] = String(fields['code']);
  },
};

// Sizes and counts as by default; times shorter, so that patience is tested in seconds.
const server = await serve(service, {
  runtime,
  address: { host: '127.0.0.1', port: 0 },
  limits: {
    http1: { headMs: 1000, idleMs: 2000, bodyIdleMs: 1500, writeIdleMs: 1500 },
    http2: {
      settingsTimeoutMs: 1000,
      headerTimeoutMs: 1000,
      idleTimeoutMs: 2000,
      bodyTimeoutMs: 1500,
      sendTimeoutMs: 1500,
    },
  },
});

process.on('message', (command: Command) => {
  answer = command.answer ?? answer;
  globalThis.gc?.();
  report();
});
process.on('disconnect', () => process.exit(0));
report();

function report(): void {
  const { rss } = process.memoryUsage();
  const { address, connections, abuse, refusals } = server;
  const counters = { ...abuse, ...Object.fromEntries(refusals) };
  const said: Report = { port: address.port, rssBytes: rss, connections, abusers, counters };
  abusers = {};
  process.send?.(said);
}
