import { type Address, Call, HeddleError, type Runtime } from '@heddle/kernel';
import type { EndpointTls } from '@heddle/wire';
import { authorityOf } from '../../health/probe/authority.ts';
import { backendRegistry } from '../../registry/backend-registry.ts';
import { Newest } from '../../registry/newest.ts';
import type { Registry } from '../../registry/registry.ts';
import type { FeedState } from '../../registry/state-feed.ts';
import { AdsClient } from './ads-client.ts';
import type { XdsNode } from './ads-protocol.ts';
import { instancesIn } from './assignment-instances.ts';
import { Delta } from './delta.ts';
import { StateOfTheWorld } from './state-of-the-world.ts';

/** Which control plane, and who we are to it. */
export interface XdsRegistryOptions {
  readonly runtime: Runtime;
  readonly addresses: readonly Address[];
  readonly node: XdsNode;
  /** The name of a service's EDS resource. Default: the service's own. For Istio `outbound|7000||${service}.ns.svc.cluster.local`. */
  readonly resource?: (service: string) => string;
  /** The protocol: all that is known each time, or only what changes. Default `state-of-the-world`. */
  readonly protocol?: 'state-of-the-world' | 'delta';
  /**
   * A resource of which nothing was heard for this long is taken for one that is not there: only the delta protocol
   * says so. Default 5000.
   */
  readonly absentMs?: number;
  readonly tls?: EndpointTls | undefined;
  readonly token?: string | undefined;
}

/**
 * Finds instances by EDS over ADS, at a control plane of our own or at Istio: locality as zone and region, health,
 * weights and priorities (see `instancesIn`). A control plane is not written to, and lists no services: those reject
 * with `unimplemented` / `UNSUPPORTED`. Load reports are not sent, and drop rates not applied.
 */
export function xdsRegistry(options: XdsRegistryOptions): Registry {
  const { runtime, addresses, node, tls, token, resource = (service) => service } = options;
  const { protocol = 'state-of-the-world', absentMs = 5000 } = options;
  const make = (): StateOfTheWorld | Delta =>
    protocol === 'delta' ? new Delta(node) : new StateOfTheWorld(node);
  const client = new AdsClient({ runtime, addresses, tls, token, protocol: make });
  const follow = (service: string, call: Call): AsyncGenerator<FeedState, void> =>
    following({ runtime, client, service, name: resource(service), absentMs }, call);
  return backendRegistry(
    {
      name: 'xds',
      places: addresses.map((address) => `xds ${authorityOf(address)}`),
      find: async (service) => {
        const call = Call.root(runtime);
        try {
          for await (const state of follow(service, call)) return state;
          throw call.cancelled ?? nothingCame(service);
        } finally {
          call.end();
        }
      },
      follow,
      close: () => client.close(),
    },
    { runtime },
  );
}

interface Following {
  readonly runtime: Runtime;
  readonly client: AdsClient;
  readonly service: string;
  readonly name: string;
  readonly absentMs: number;
}

async function* following(
  { runtime, client, service, name, absentMs }: Following,
  call: Call,
): AsyncGenerator<FeedState, void> {
  const newest = new Newest<FeedState>();
  const patience = runtime.timers.after(absentMs, () => newest.put({ instances: [] }));
  const leave = client.subscribe(name, {
    update: (assignment) => {
      patience.cancel();
      newest.put({ instances: assignment === undefined ? [] : instancesIn(service, assignment) });
    },
    fail: (error) => newest.fail(error),
  });
  const forget = call.onCancel((error) => newest.fail(error));
  try {
    for (;;) yield await newest.take();
  } finally {
    patience.cancel();
    forget();
    leave();
  }
}

function nothingCame(service: string): HeddleError {
  const message = `the control plane said nothing of "${service}"`;
  return new HeddleError({ code: 'unavailable', reason: 'WATCH_ENDED', message });
}
