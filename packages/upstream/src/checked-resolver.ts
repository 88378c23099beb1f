import {
  type CheckOptions,
  type EndpointListener,
  type EndpointSnapshot,
  type Instance,
  type Resolver,
  type RunningCheck,
  startCheck,
} from '@heddle/discovery';

/** How the instances of a target are checked from here. */
export interface CheckedResolverOptions extends Omit<CheckOptions, 'address' | 'onChange'> {
  /** With fewer than this share in health all are used; 0: never. Default 0.5. */
  readonly panicShare?: number;
}

interface Checked {
  readonly instance: Instance;
  readonly check: RunningCheck;
}

/**
 * The same instances without those that fail active checks of our own, whatever the registry says of them, so that lists
 * that no registry keeps are checked too. One that has not been checked yet takes calls.
 */
export function checkedResolver(inner: Resolver, options: CheckedResolverOptions): Resolver {
  const { panicShare = 0.5, ...rules } = options;
  const listeners = new Set<EndpointListener>();
  const running = new Map<string, Checked>();
  let current: EndpointSnapshot | undefined;
  const publish = (): void => {
    const known = inner.current;
    if (known === undefined) return;
    current = withoutCritical(known, running, panicShare);
    for (const listener of listeners) listener(current);
  };
  const follow = ({ instances }: EndpointSnapshot): void => {
    const there = new Map(instances.map((each) => [each.id, each]));
    for (const [id, { instance, check }] of running) {
      const now = there.get(id);
      if (now?.address === instance.address && now.port === instance.port) continue;
      check.stop();
      running.delete(id);
    }
    for (const [id, instance] of there) {
      if (running.has(id)) continue;
      const address = { host: instance.address, port: instance.port };
      running.set(id, { instance, check: startCheck({ ...rules, address, onChange: publish }) });
    }
    publish();
  };
  const stopListening = inner.subscribe(follow);
  return {
    target: inner.target,
    get current() {
      return current;
    },
    get problem() {
      return inner.problem;
    },
    subscribe: (listener) => {
      const own: EndpointListener = (snapshot) => listener(snapshot);
      listeners.add(own);
      if (current !== undefined) own(current);
      return () => {
        listeners.delete(own);
      };
    },
    close: () => {
      stopListening();
      for (const { check } of running.values()) check.stop();
      running.clear();
      listeners.clear();
      inner.close();
    },
  };
}

function withoutCritical(
  snapshot: EndpointSnapshot,
  running: ReadonlyMap<string, Checked>,
  panicShare: number,
): EndpointSnapshot {
  const { instances, excluded } = snapshot;
  const well = instances.filter(({ id }) => running.get(id)?.check.health !== 'critical');
  const critical = instances.length - well.length;
  if (critical === 0) return snapshot;
  if (well.length < panicShare * instances.length) return { ...snapshot, panic: true };
  return { ...snapshot, instances: well, excluded: { ...excluded, health: excluded.health + critical } };
}
