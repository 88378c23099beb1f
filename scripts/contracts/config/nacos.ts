// The config centre in a real Nacos: a namespace for each case, and a server of its own for the one that kills it.
import { rmSync } from 'node:fs';
import { NacosStore } from '@heddle/config';
import type { ConfigStage } from '@heddle/config/testing';
import { dataFolder } from '../../engines/cache.ts';
import { obtain, type Place, type Running } from '../../engines/engine.ts';
import { freePlaces, nacos, nacosGrpcOffset } from '../../engines/nacos.ts';
import type { Contract } from '../result.ts';
import { configContract } from './suite.ts';
import { quietRuntime, stageOf } from './stage.ts';

let shared: Promise<Running> | undefined;
let namespaces = 0;

/** On the real server. */
export const nacosConfig: Contract = configContract({
  backend: 'nacos',
  prepare: () => obtain(nacos),
  stage: async (one) => {
    if (one.needs?.includes('restart') === true) return onOwn();
    shared ??= nacos.start({});
    const { address } = await shared;
    return onServer(address, `case${namespaces++}`);
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
  return onServer(options.address, 'config', {
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

function onServer(
  { host, port }: Place,
  namespace: string,
  more: { readonly restart?: () => Promise<void>; readonly end?: () => Promise<void> } = {},
): Promise<ConfigStage> {
  // What is cut by a proxy is gRPC, which is all that the store speaks.
  const target = (): Place => ({ host, port: port + nacosGrpcOffset });
  return stageOf({
    ...more,
    target,
    open: async (address) =>
      new NacosStore({
        runtime: quietRuntime,
        addresses: [address ?? target()],
        grpcOffset: 0,
        namespace,
        timeoutMs: 6000,
        lookMs: 1000,
      }),
    // What its database has, as its own HTTP API shows it.
    contents: async () => {
      const query = new URLSearchParams({
        search: 'blur',
        dataId: '',
        group: '',
        tenant: namespace,
        pageNo: '1',
        pageSize: '500',
      }).toString();
      const answer = await fetch(`http://${host}:${port}/nacos/v1/cs/configs?${query}`);
      const { pageItems } = (await answer.json()) as { pageItems: { content: string }[] };
      return pageItems.map(({ content }) => content).join('\n');
    },
  });
}
