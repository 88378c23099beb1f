import type { Runtime } from '@heddle/kernel';
import { instance } from '../registry/validate-instance.ts';
import type { EndpointSnapshot, Resolver } from './endpoint-snapshot.ts';
import type { Target } from './target.ts';

/** A list that never changes. All instances are alike: service `static`, weight 100. */
export function staticResolver(target: Extract<Target, { kind: 'static' }>, runtime: Runtime): Resolver {
  const unique = new Map(
    target.endpoints.map(({ host, port }) => [`${host} ${port}`, { address: host, port }]),
  );
  const current: EndpointSnapshot = {
    instances: [...unique.values()].map((at) => instance({ service: 'static', ...at })),
    excluded: { subset: 0, state: 0, weight: 0, health: 0, share: 0 },
    term: 0,
    revision: 0,
    asOfMs: runtime.clock.nowMs(),
    stale: false,
    source: 'static',
    heldBack: 0,
    panic: false,
  };
  return {
    target,
    current,
    problem: undefined,
    subscribe: (listener) => {
      listener(current);
      return () => {};
    },
    close: () => {},
  };
}
