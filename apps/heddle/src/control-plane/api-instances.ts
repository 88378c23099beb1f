import type { Instance, Registry } from '@heddle/discovery';
import { HeddleError } from '@heddle/kernel';
import type { Asked, ConsoleRoute } from './console-api.ts';
import { oneOf, optional, readInput, text, whole } from './console-input.ts';

/**
 * What operators have said of instances. Whoever registers an instance last has its entry: the process itself is told,
 * and steps in again when the operator lets go. Held by this process, so a restart of the control plane lets go of all.
 */
export class OperatorHolds {
  readonly #registry: Registry;
  readonly #held = new Map<string, Hold>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** By service and id. */
  get all(): readonly Hold[] {
    return [...this.#held.values()];
  }

  async hold(
    found: Instance,
    change: Partial<Pick<Instance, 'state' | 'weight'>>,
    by: string,
  ): Promise<Instance> {
    const key = `${found.service} ${found.id}`;
    const { lastHeartbeatMs: _, ...stated } = found;
    const { instance, registered, problem } = await this.#registry.register({ ...stated, ...change });
    if (!registered) throw problem ?? notHeld(found.id);
    this.#held.set(key, {
      service: found.service,
      id: found.id,
      state: instance.state,
      weight: instance.weight,
      by,
    });
    return instance;
  }

  /** Lets go. Throws `failed_precondition` / `NOT_HELD` for what no operator has. */
  async release(service: string, id: string): Promise<void> {
    if (!this.#held.delete(`${service} ${id}`)) throw notHeld(id);
    await this.#registry.deregister(service, id);
  }
}

/** One instance that an operator has. */
export interface Hold {
  readonly service: string;
  readonly id: string;
  readonly state: string;
  readonly weight: number;
  readonly by: string;
}

/** Draining, maintenance and weights. */
export function instanceRoutes(registry: Registry, holds: OperatorHolds): ConsoleRoute[] {
  const found = async ({ at }: Asked): Promise<Instance> => {
    const [service, id] = [at['service'] ?? '', at['id'] ?? ''];
    const { instances } = await registry.instances(service);
    const one = instances.find((each) => each.id === id);
    if (one !== undefined) return one;
    const message = `there is no instance ${id.slice(0, 100)} of ${service.slice(0, 100)}`;
    throw new HeddleError({ code: 'not_found', reason: 'NO_INSTANCE', message, sent: false });
  };
  return [
    {
      method: 'GET',
      path: '/instances/:service/:id',
      role: 'viewer',
      run: async (asked) => ({
        instance: await found(asked),
        hold:
          holds.all.find(({ service, id }) => service === asked.at['service'] && id === asked.at['id']) ??
          null,
      }),
    },
    { method: 'GET', path: '/holds', role: 'viewer', run: () => ({ holds: holds.all }) },
    {
      method: 'PUT',
      path: '/instances/:service/:id/hold',
      role: 'operator',
      run: async (asked) => {
        const { state, weight } = readInput(asked.body, {
          state: optional(oneOf(['running', 'draining', 'maintenance'])),
          weight: optional(whole(0, 65_535)),
          why: optional(text(500)),
        });
        const before = await found(asked);
        const change = { ...(state && { state }), ...(weight !== undefined && { weight }) };
        const after = await holds.hold(before, change, asked.who.name);
        asked.note({
          before: { state: before.state, weight: before.weight },
          after: { state: after.state, weight: after.weight },
        });
        return after;
      },
    },
    {
      method: 'DELETE',
      path: '/instances/:service/:id/hold',
      role: 'operator',
      run: async (asked) => {
        await holds.release(asked.at['service'] ?? '', asked.at['id'] ?? '');
        return {};
      },
    },
  ];
}

function notHeld(id: string): HeddleError {
  const message = `${id} is not in the hands of an operator`;
  return new HeddleError({ code: 'failed_precondition', reason: 'NOT_HELD', message, sent: false });
}
