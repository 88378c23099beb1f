import type { Call, HeddleError, Runtime } from '@heddle/kernel';
import { authorityOf } from '../../health/probe/authority.ts';
import { backendRegistry } from '../../registry/backend-registry.ts';
import type { LeaseKeeper } from '../../registry/lease-keeper.ts';
import type { Registry } from '../../registry/registry.ts';
import type { FeedState } from '../../registry/state-feed.ts';
import { NacosClient, type NacosReach } from './nacos-client.ts';
import { latestOf } from './nacos-instance.ts';
import { nacosLeases } from './nacos-leases.ts';
import type { ServiceInfo } from './nacos-message.ts';
import { NacosReadings } from './nacos-readings.ts';
import { Publisher } from './publisher.ts';

/** How Nacos is used. */
export interface NacosRegistryOptions extends NacosReach {
  readonly runtime: Runtime;
  /**
   * Default true: what this process registers goes with its connection. False: it stays until it is deregistered, and
   * the server checks by itself whether it answers.
   */
  readonly ephemeral?: boolean;
  /**
   * After this long without a word from the server, what is registered is taken for lost. Default 10000. The server
   * itself drops an entry when the connection closes, or has been silent for about 20 s, which cannot be set.
   */
  readonly ttlMs?: number;
  /** Keeps the entries while this thread cannot. Default: nothing does; `@heddle/discovery/nacos` gives a thread. */
  readonly keeper?: LeaseKeeper;
  /** Called whenever this thread has had its entries confirmed. For a keeper. */
  readonly onAlive?: () => void;
}

/**
 * A registry in Nacos (2.x, and 3.x, which speaks the same), by its gRPC API: a watch is a subscription, to which the
 * server pushes every change. Asks nothing until it is used.
 */
export function nacosRegistry(options: NacosRegistryOptions): Registry {
  const {
    runtime,
    cluster = 'DEFAULT',
    ephemeral = true,
    ttlMs = 10_000,
    keeper,
    onAlive = (): void => {},
  } = options;
  const { namespace = 'public', group = 'DEFAULT_GROUP' } = options;
  const client: NacosClient = new NacosClient(
    runtime,
    options,
    (connection) => void publisher.republish(connection),
  );
  const publisher: Publisher = new Publisher(client);
  const readings = new NacosReadings();
  const stateOf = (service: string, { hosts = [] }: ServiceInfo): FeedState => {
    const entries = readings.read(service, hosts, runtime.clock.wallMs());
    return { instances: latestOf(entries).map(({ instance }) => instance) };
  };
  return backendRegistry(
    {
      name: 'nacos',
      places: options.addresses.map((address) => `nacos ${authorityOf(address)} ${namespace} ${group}`),
      leases: nacosLeases({ runtime, client, publisher, cluster, ephemeral, onAlive }),
      find: async (service) => stateOf(service, await client.query(service)),
      follow: (service, call) => follow(client, runtime, service, call, (info) => stateOf(service, info)),
      services: () => servicesOf(client),
      close: () => client.close(),
    },
    { runtime, ttlMs, keeper },
  );
}

// Beside the pushes, in case one was lost.
const askAgainMs = 10_000;

/** Subscribes on one connection, and ends with it. */
async function* follow(
  client: NacosClient,
  runtime: Runtime,
  service: string,
  call: Call,
  stateOf: (info: ServiceInfo) => FeedState,
): AsyncGenerator<FeedState, void> {
  const connection = await client.connected();
  let latest: ServiceInfo = {};
  let failed: HeddleError | undefined;
  let wake: () => void = () => {};
  const pushed = (info: ServiceInfo): void => {
    // A push and an answer may overtake each other.
    if (Number(info.lastRefTime ?? 0) < Number(latest.lastRefTime ?? 0)) return;
    latest = info;
    wake();
  };
  const fail = (error: HeddleError): void => {
    failed ??= error;
    wake();
  };
  const stop = client.listen(service, { pushed, lost: fail });
  const forget = call.onCancel(fail);
  const subscription = { serviceName: service, clusters: '' };
  try {
    const { serviceInfo } = await client.ask(
      'SubscribeServiceRequest',
      { ...subscription, subscribe: true },
      connection,
    );
    pushed(serviceInfo ?? {});
    for (;;) {
      const shown = latest;
      yield stateOf(shown);
      if (shown === latest && failed === undefined) {
        let isTime = false;
        const timer = runtime.timers.after(askAgainMs, () => {
          isTime = true;
          wake();
        });
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        timer.cancel();
        if (isTime) pushed(await client.query(service, connection));
      }
      if (failed !== undefined) throw failed;
    }
  } finally {
    stop();
    forget();
    client.ask('SubscribeServiceRequest', { ...subscription, subscribe: false }, connection).catch(() => {});
  }
}

const pageSize = 1000;

/** A server goes on listing a service for a while after its last instance. */
async function servicesOf(client: NacosClient): Promise<string[]> {
  const names: string[] = [];
  for (let pageNo = 1; ; pageNo++) {
    const { serviceNames } = await client.ask('ServiceListRequest', {
      serviceName: '',
      pageNo,
      pageSize,
      selector: '',
    });
    const page = Array.isArray(serviceNames) ? serviceNames.map(String) : [];
    names.push(
      ...page.map((name) => name.slice(name.lastIndexOf('@@') < 0 ? 0 : name.lastIndexOf('@@') + 2)),
    );
    if (page.length < pageSize) break;
  }
  const known = await Promise.all(names.map((name) => client.query(name)));
  return names.filter((_, at) => (known[at]?.hosts ?? []).length > 0);
}
