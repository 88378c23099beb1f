import type { Access, Capability, System } from '../model/system.ts';
import type { Plan, PlannedService } from './plan.ts';

/** Something that runs otherwise than it was planned. */
export interface Drift {
  readonly kind:
    | 'foreign-write'
    | 'foreign-read'
    | 'unplanned-call'
    | 'unplanned-service'
    | 'unplanned-entity'
    | 'moved-capability'
    | 'unseen-call'
    | 'unseen-service';
  /** `error`: a boundary is broken. `warning`: it is about to be. `note`: the plan or the observation is incomplete. */
  readonly severity: 'error' | 'warning' | 'note';
  readonly service: string;
  /** The entity, service or capability that it is about. */
  readonly subject: string;
  readonly message: string;
  /** What was seen where. */
  readonly evidence: readonly string[];
}

const order = { error: 0, warning: 1, note: 2 } as const;

/** Compares a running system, whose capabilities say which service they are in, with a plan. The worst comes first. */
export function driftOf(plan: Plan, observed: System): Drift[] {
  const placed = observed.capabilities.filter(({ service }) => service !== undefined);
  const planned = new Map(plan.services.map((service) => [service.name, service]));
  const found = [
    ...dataDrift(plan, placed),
    ...callDrift(planned, placed),
    ...movedCapabilities(plan, placed),
    ...unknownServices(planned, placed),
  ];
  return found.sort(
    (x, y) =>
      order[x.severity] - order[y.severity] ||
      compare(x.kind, y.kind) ||
      compare(x.service, y.service) ||
      compare(x.subject, y.subject),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

interface Touched {
  readonly service: string;
  readonly entity: string;
  readonly access: Access;
  readonly by: string[];
}

function dataDrift(plan: Plan, placed: readonly Capability[]): Drift[] {
  const owner = new Map(
    plan.services.flatMap(({ name, owns }) => owns.map((entity) => [entity, name] as const)),
  );
  const touched = new Map<string, Touched>();
  for (const { name, service = '', entities } of placed) {
    for (const { entity, access } of entities) {
      const key = `${service}\n${entity}\n${access}`;
      const entry = touched.get(key) ?? { service, entity, access, by: [] };
      entry.by.push(name);
      touched.set(key, entry);
    }
  }
  return [...touched.values()].flatMap(({ service, entity, access, by }): Drift[] => {
    const keeper = owner.get(entity);
    if (keeper === service) return [];
    const evidence = by.map((name) => `${name} ${access === 'write' ? 'writes' : 'reads'} ${entity}`);
    const about = { service, subject: entity, evidence };
    if (keeper === undefined) {
      const message = `${service} uses ${entity}, which the plan gives to nobody`;
      return [{ kind: 'unplanned-entity', severity: 'note', message, ...about }];
    }
    if (access === 'read') {
      const message = `${service} reads ${entity}, which ${keeper} owns, behind its back: it should ask ${keeper}`;
      return [{ kind: 'foreign-read', severity: 'warning', message, ...about }];
    }
    const message = `${service} writes ${entity}, which ${keeper} owns: no rule of ${keeper} holds for it any more`;
    return [{ kind: 'foreign-write', severity: 'error', message, ...about }];
  });
}

function callDrift(planned: ReadonlyMap<string, PlannedService>, placed: readonly Capability[]): Drift[] {
  const serviceOf = new Map(placed.map(({ name, service }) => [name, service as string]));
  const calls = new Map<string, { from: string; to: string; evidence: string[] }>();
  for (const { name, service = '', dependencies } of placed) {
    for (const { on, calls: count } of dependencies) {
      const to = serviceOf.get(on);
      if (to === undefined || to === service) continue;
      const entry = calls.get(`${service}\n${to}`) ?? { from: service, to, evidence: [] };
      entry.evidence.push(`${name} calls ${on}${count === undefined ? '' : ` (${count})`}`);
      calls.set(`${service}\n${to}`, entry);
    }
  }
  const unplanned = [...calls.values()].flatMap(({ from, to, evidence }): Drift[] => {
    const plan = planned.get(from);
    if (plan === undefined || plan.calls.includes(to)) return [];
    const message = `${from} calls ${to}, which the plan does not say`;
    return [{ kind: 'unplanned-call', severity: 'warning', service: from, subject: to, message, evidence }];
  });
  const unseen = [...planned.values()].flatMap(({ name, calls: wanted }) =>
    wanted
      .filter((to) => !calls.has(`${name}\n${to}`))
      .map((to): Drift => {
        const message = `${name} was not seen to call ${to}, as the plan says`;
        return { kind: 'unseen-call', severity: 'note', service: name, subject: to, message, evidence: [] };
      }),
  );
  return [...unplanned, ...unseen];
}

function movedCapabilities(plan: Plan, placed: readonly Capability[]): Drift[] {
  const home = new Map(
    plan.services.flatMap(({ name, capabilities }) => capabilities.map((each) => [each, name] as const)),
  );
  return placed.flatMap(({ name, service = '' }): Drift[] => {
    const planned = home.get(name);
    if (planned === undefined || planned === service) return [];
    const message = `${name} runs in ${service}; the plan has it in ${planned}`;
    return [{ kind: 'moved-capability', severity: 'error', service, subject: name, message, evidence: [] }];
  });
}

function unknownServices(
  planned: ReadonlyMap<string, PlannedService>,
  placed: readonly Capability[],
): Drift[] {
  const running = new Set(placed.map(({ service }) => service as string));
  const more = [...running].filter((service) => !planned.has(service));
  const fewer = [...planned.keys()].filter((service) => !running.has(service));
  return [
    ...more.map((service): Drift => {
      const message = `${service} runs and is not in the plan`;
      return {
        kind: 'unplanned-service',
        severity: 'warning',
        service,
        subject: service,
        message,
        evidence: [],
      };
    }),
    ...fewer.map((service): Drift => {
      const message = `${service} is in the plan and was not seen`;
      return { kind: 'unseen-service', severity: 'note', service, subject: service, message, evidence: [] };
    }),
  ];
}
