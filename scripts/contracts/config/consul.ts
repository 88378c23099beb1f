// The config centre in a real Consul: a prefix for each case, and an agent of its own for the one that kills it.
import { ConsulStore } from '@heddle/config';
import type { ConfigStage } from '@heddle/config/testing';
import { consul } from '../../engines/consul.ts';
import { obtain, type Place, type Running } from '../../engines/engine.ts';
import type { Contract } from '../result.ts';
import { configContract } from './suite.ts';
import { ownServer, quietRuntime, stageOf } from './stage.ts';

let shared: Promise<Running> | undefined;
let prefixes = 0;

/** On the real agent. */
export const consulConfig: Contract = configContract({
  backend: 'consul',
  prepare: () => obtain(consul),
  stage: async (one) => {
    if (one.needs?.includes('restart') === true) return onOwn();
    shared ??= consul.start({});
    const { address } = await shared;
    return onServer(() => address, `case${prefixes++}`);
  },
  end: async () => {
    await (await shared)?.stop();
    shared = undefined;
  },
});

async function onOwn(): Promise<ConfigStage> {
  const { address, ...own } = await ownServer('consul-config', (options) => consul.start(options));
  return onServer(() => address, 'config', own);
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
      new ConsulStore({ runtime: quietRuntime, addresses: [address ?? target()], prefix, timeoutMs: 3000 }),
    contents: async () => {
      const { host, port } = target();
      const answer = await fetch(`http://${host}:${port}/v1/kv/${prefix}/?recurse`);
      const entries = answer.status === 404 ? [] : ((await answer.json()) as { Value: string }[]);
      return entries.map(({ Value }) => Buffer.from(Value, 'base64').toString()).join('\n');
    },
  });
}
