import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { HeddleError } from '../error.ts';
import type { Address, Connection, Net } from '../ports/net.ts';
import { clockContract } from '../testing/clock-contract.ts';
import { diskContract } from '../testing/disk-contract.ts';
import { netContract } from '../testing/net-contract.ts';
import { randomContract } from '../testing/random-contract.ts';
import { inRealTime } from '../testing/subject.ts';
import { TestAuthority } from '../testing/test-authority.ts';
import { timersContract } from '../testing/timers-contract.ts';
import { nodeClock } from './clock.ts';
import { nodeDisk } from './disk.ts';
import { nodeNet } from './net.ts';
import { nodeRandom } from './random.ts';
import { nodeTimers } from './timers.ts';
import { TlsStore } from './tls-store.ts';

const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

const listening = `const server = require('node:net').createServer();
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));`;

/** A process that listens and stands still: once its short queue is full, Linux drops what comes. */
async function silentAddress(): Promise<{
  silent: { silent?: Address };
  child: ChildProcess;
  queued: Connection[];
}> {
  const child = spawn(process.execPath, ['--eval', listening], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  child.kill('SIGSTOP');
  const address = { host: '127.0.0.1', port: Number(line.toString()) };
  const queued: Connection[] = [];
  const connectUntilFull = async (): Promise<void> => {
    while (queued.length < 100) queued.push(await nodeNet.connect(address, { timeoutMs: 300 }));
  };
  const full = await connectUntilFull().then(
    () => false,
    (error: unknown) => error instanceof HeddleError && error.reason === 'CONNECT_TIMEOUT',
  );
  return { silent: full ? { silent: address } : {}, child, queued };
}

const { silent, child, queued } = await silentAddress();
after(() => {
  for (const connection of queued) connection.destroy();
  child.kill('SIGKILL');
});

function spin(ms: number): void {
  const until = nodeClock.nowMs() + ms;
  while (nodeClock.nowMs() < until);
}

clockContract('node', () => ({ clock: nodeClock, timers: nodeTimers, run: inRealTime }));
timersContract('node', () => ({ clock: nodeClock, timers: nodeTimers, run: inRealTime, spin }));
randomContract('node', () => nodeRandom);
netContract('node', () => {
  return {
    server: nodeNet,
    client: nodeNet,
    timers: nodeTimers,
    host: '127.0.0.1',
    ...silent,
    run: inRealTime,
  };
});
const authority = new TestAuthority('test authority', nodeClock.wallMs());
const store = new TlsStore({
  identities: [authority.issue({ addresses: ['127.0.0.1'] })],
  trust: authority.certificate,
});
const tlsNet = (kind: 'one-way' | 'mutual'): Net => ({
  connect: (address, options) => nodeNet.connect(address, { ...options, tls: { source: store } }),
  listen: (address, accept) => {
    const clients = kind === 'mutual' ? 'require' : 'off';
    return nodeNet.listen(address, accept, { tls: { source: store, clients } });
  },
});
for (const kind of ['one-way', 'mutual'] as const) {
  netContract(`node, TLS, ${kind}`, () => {
    const net = tlsNet(kind);
    const both = { server: net, client: net, answersEnds: true };
    return { ...both, timers: nodeTimers, host: '127.0.0.1', ...silent, run: inRealTime };
  });
}
diskContract('node', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-disk-'));
  folders.push(folder);
  return { disk: nodeDisk(join(folder, 'data')), run: inRealTime };
});
