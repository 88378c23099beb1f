// The config centre in a real etcd: a prefix for each case, and a server of its own for the one that kills it.
import { EtcdStore } from '@heddle/config';
import type { ConfigStage } from '@heddle/config/testing';
import { obtain, type Place, type Running } from '../../engines/engine.ts';
import { etcd } from '../../engines/etcd.ts';
import type { Contract } from '../result.ts';
import { configContract } from './suite.ts';
import { ownServer, quietRuntime, stageOf } from './stage.ts';

let shared: Promise<Running> | undefined;
let prefixes = 0;

/** On the real server. */
export const etcdConfig: Contract = configContract({
  backend: 'etcd',
  prepare: () => obtain(etcd),
  stage: async (one) => {
    if (one.needs?.includes('restart') === true) return onOwn();
    shared ??= etcd.start({});
    const { address } = await shared;
    return onServer(() => address, `/case${prefixes++}`);
  },
  end: async () => {
    await (await shared)?.stop();
    shared = undefined;
  },
});

async function onOwn(): Promise<ConfigStage> {
  const { address, ...own } = await ownServer('etcd-config', (options) => etcd.start(options));
  return onServer(() => address, '/config', own);
}

function onServer(
  target: () => Place,
  prefix: string,
  more: { readonly restart?: () => Promise<void>; readonly end?: () => Promise<void> } = {},
): Promise<ConfigStage> {
  return stageOf({
    ...more,
    target,
    open: async (address) =>
      new EtcdStore({ runtime: quietRuntime, addresses: [address ?? target()], prefix, timeoutMs: 3000 }),
    // What it keeps is what was sent to it: read by its own HTTP gateway, as bytes in base64.
    contents: async () => {
      const { host, port } = target();
      const end = Buffer.from(`${prefix}0`).toString('base64');
      const body = JSON.stringify({ key: Buffer.from(`${prefix}/`).toString('base64'), range_end: end });
      const answer = await fetch(`http://${host}:${port}/v3/kv/range`, { method: 'POST', body });
      const { kvs = [] } = (await answer.json()) as { kvs?: { value: string }[] };
      return kvs.map(({ value }) => Buffer.from(value, 'base64').toString()).join('\n');
    },
  });
}
