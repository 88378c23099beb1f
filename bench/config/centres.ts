// A config centre on each backend: who publishes, and many clients that follow, as their users would have them.
import {
  ConfigCentre,
  configService,
  type ConfigStore,
  EtcdStore,
  NacosStore,
  PostgresStore,
  RemoteStore,
} from '@heddle/config';
import { httpServer } from '@heddle/rpc';
import { sqlPool } from '@heddle/sql';
import { type Engine, isMissing, obtain } from '../../scripts/engines/engine.ts';
import { etcd } from '../../scripts/engines/etcd.ts';
import { nacos } from '../../scripts/engines/nacos.ts';
import { nacosRaw } from './nacos-raw.ts';
import { Databases, runtime } from '../messaging/databases.ts';

/** A backend that runs. */
export interface RunningCentre {
  /** Of whoever publishes. */
  readonly writer: ConfigStore;
  /** A store of its own, as another process has. */
  client(): ConfigStore;
  close(): Promise<void>;
}

const token = 'bench-token-of-the-config-centre';

/** PostgreSQL behind a control plane's centre; clients are told by the centre. */
export async function embeddedCentre(): Promise<RunningCentre> {
  const databases = new Databases();
  await databases.start();
  const url = await databases.database();
  const pool = sqlPool(url, { runtime });
  const store = new PostgresStore({ runtime, pool, url });
  await store.start();
  const centre = new ConfigCentre({ runtime, store });
  const { service, close } = configService({ runtime, centre, readToken: token, writeToken: `${token}-too` });
  const server = httpServer(service, { runtime, maxCalls: 5000 });
  await server.start();
  const clients: ConfigStore[] = [];
  return {
    writer: store,
    client: () => {
      const made = new RemoteStore({ runtime, addresses: [server.address], token });
      clients.push(made);
      return made;
    },
    close: async () => {
      close();
      await Promise.all(clients.map((each) => each.close()));
      await server.stop();
      await store.close();
      await pool.stop();
      await databases.stop();
    },
  };
}

/** Clients watch etcd itself. */
export async function etcdCentre(): Promise<RunningCentre> {
  const { address, stop } = await started(etcd);
  return onServer(() => new EtcdStore({ runtime, addresses: [address] }), stop);
}

/** Clients listen to Nacos itself. */
export async function nacosCentre(): Promise<RunningCentre> {
  const { address, stop } = await started(nacos);
  return onServer(() => new NacosStore({ runtime, addresses: [address] }), stop);
}

/** Nacos without our store on it. */
export async function nacosRawCentre(): Promise<RunningCentre> {
  const { address, stop } = await started(nacos);
  return onServer(() => nacosRaw(address), stop);
}

async function started(engine: Engine<object>): Promise<{
  readonly address: { readonly host: string; readonly port: number };
  readonly stop: () => Promise<void>;
}> {
  const found = await obtain(engine);
  if (isMissing(found)) throw new Error(found.missing);
  return engine.start({});
}

function onServer(open: () => ConfigStore, stop: () => Promise<void>): RunningCentre {
  const opened: ConfigStore[] = [];
  const client = (): ConfigStore => {
    const made = open();
    opened.push(made);
    return made;
  };
  return {
    writer: client(),
    client,
    close: async () => {
      await Promise.all(opened.map((each) => each.close()));
      await stop();
    },
  };
}
