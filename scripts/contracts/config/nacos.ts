// The config centre in a real Nacos: a prefix for each case, and a server of its own for the one that kills it.
import { NacosStore } from '@heddle/config';
import type { ConfigStage } from '@heddle/config/testing';
import { rmSync } from 'node:fs';
import { dataFolder } from '../../engines/cache.ts';
import { obtain, type Place, type Running } from '../../engines/engine.ts';
import { freePlaces, nacos, nacosGrpcOffset } from '../../engines/nacos.ts';
import type { Contract } from '../result.ts';
import { configContract } from './suite.ts';
import { quietRuntime, stageOf } from './stage.ts';

let shared: Promise<Running> | undefined;
let prefixes = 0;

/** On the real server, with its own database. */
export const nacosConfig: Contract = configContract({
  backend: 'nacos',
  prepare: () => obtain(nacos),
  stage: async (one) => {
    if (one.needs?.includes('restart') === true) return onOwn();
    shared ??= nacos.start({});
    return onServer((await shared).address, `case${prefixes++}`);
  },
  end: async () => {
    await (await shared)?.stop();
    shared = undefined;
  },
});

async function onOwn(): Promise<ConfigStage> {
  const options = { address: await freePlaces(), folder: dataFolder('nacos-config') };
  let running = await nacos.start(options);
  const kill = async (): Promise<void> => {
    process.kill(running.pid, 'SIGKILL');
    await running.stop();
  };
  return onServer(options.address, 'own', {
    restart: async () => {
      await kill();
      running = await nacos.start(options);
    },
    end: async () => {
      await kill();
      rmSync(options.folder, { recursive: true });
    },
  });
}

/** Everything of the store goes over gRPC, so that is what a proxy stands before. */
function onServer(
  { host, port }: Place,
  prefix: string,
  more: { readonly restart?: () => Promise<void>; readonly end?: () => Promise<void> } = {},
): Promise<ConfigStage> {
  const grpc = { host, port: port + nacosGrpcOffset };
  return stageOf({
    ...more,
    target: () => grpc,
    open: async (address) =>
      new NacosStore({
        runtime: quietRuntime,
        addresses: [address ?? grpc],
        grpcOffset: 0,
        prefix,
        timeoutMs: 6000,
      }),
    contents: async () => {
      const query = new URLSearchParams({
        dataId: `${prefix}*`,
        group: '',
        search: 'blur',
        pageNo: '1',
        pageSize: '500',
      });
      const answer = await fetch(`http://${host}:${port}/nacos/v1/cs/configs?${query.toString()}`);
      const { pageItems } = (await answer.json()) as { readonly pageItems: readonly { content: string }[] };
      return pageItems.map(({ content }) => content).join('\n');
    },
  });
}
