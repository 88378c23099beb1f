// Who takes part: a registry server in a process of its own, and how a client of it is made.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type Registry, remoteRegistry } from '@heddle/discovery';
import { consulRegistry } from '@heddle/discovery/consul';
import { etcdRegistry } from '@heddle/discovery/etcd';
import { nacosRegistry } from '@heddle/discovery/nacos';
import type { Address, Runtime } from '@heddle/kernel';
import { dataFolder } from '../../scripts/engines/cache.ts';
import { consul } from '../../scripts/engines/consul.ts';
import { isMissing, obtain, type Running, type Tool } from '../../scripts/engines/engine.ts';
import { etcd } from '../../scripts/engines/etcd.ts';
import { nacos } from '../../scripts/engines/nacos.ts';
import { endWithUs } from '../../scripts/engines/running.ts';

/** Long enough that nothing is renewed while something is measured. */
export const ttlMs = 600_000;
const timeoutMs = 30_000;

/** A server that is ready. */
export type Server = Pick<Running, 'address' | 'pid' | 'stop'>;

/** A registry that is measured. */
export interface Contender {
  readonly name: string;
  /** Why it cannot be had here. */
  missing(): Promise<string | undefined>;
  start(): Promise<Server>;
  open(runtime: Runtime, address: Address): Registry;
}

const token = 'bench';

/** All of them, ours first. */
export const contenders: readonly Contender[] = [
  {
    name: 'embedded',
    missing: async () => undefined,
    start: startEmbedded,
    open: (runtime, address) => remoteRegistry({ runtime, addresses: [address], ttlMs, timeoutMs, token }),
  },
  {
    name: 'etcd',
    missing: () => missing(etcd),
    start: () => etcd.start({}),
    open: (runtime, address) => etcdRegistry(clientOf(runtime, address)),
  },
  {
    name: 'consul',
    missing: () => missing(consul),
    start: () => consul.start({}),
    open: (runtime, address) => consulRegistry(clientOf(runtime, address)),
  },
  {
    name: 'nacos',
    missing: () => missing(nacos),
    start: () => nacos.start({}),
    open: (runtime, address) => nacosRegistry(clientOf(runtime, address)),
  },
];

interface Client {
  readonly runtime: Runtime;
  readonly addresses: readonly Address[];
  readonly ttlMs: number;
  readonly timeoutMs: number;
  readonly maxBlockedMs: number;
}

function clientOf(runtime: Runtime, address: Address): Client {
  return { runtime, addresses: [address], ttlMs, timeoutMs, maxBlockedMs: 0 };
}

async function missing(tool: Tool): Promise<string | undefined> {
  const found = await obtain(tool);
  return isMissing(found) ? found.missing : undefined;
}

/** The embedded registry in a process of its own, durable on disk as always. */
async function startEmbedded(): Promise<Server> {
  const folder = dataFolder('bench-registry');
  const program = path.resolve(
    import.meta.dirname,
    '../../packages/discovery/src/testing/registry-process.ts',
  );
  const args = ['--conditions=@heddle/source', program, folder, '0', String(ttlMs), token];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  endWithUs(child);
  if (child.stdout === null || child.pid === undefined) throw new Error('the registry cannot be started');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    address: { host: '127.0.0.1', port: Number(line.toString()) },
    pid: child.pid,
    stop: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Resident memory of a process, in MiB. */
export function residentMib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
}
