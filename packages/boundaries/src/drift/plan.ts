import type { Checked } from '../model/problem.ts';
import { Reader } from '../model/reader.ts';
import type { System } from '../model/system.ts';
import { ownersOf } from '../report/ownership.ts';
import type { BoundariesReport } from '../report/report.ts';

/** What a service is meant to be. */
export interface PlannedService {
  readonly name: string;
  readonly capabilities: readonly string[];
  readonly owns: readonly string[];
  readonly calls: readonly string[];
}

/** The boundaries as they are meant to be. */
export interface Plan {
  readonly services: readonly PlannedService[];
}

/** The plan that a report proposes. */
export function planOfReport({ services }: Pick<BoundariesReport, 'services'>): Plan {
  return {
    services: services.map(({ name, capabilities, owns, calls }) => ({ name, capabilities, owns, calls })),
  };
}

/** Today as a plan: the services that capabilities say they are in. Capabilities that say none are left out. */
export function planOfToday({ capabilities }: System): Plan {
  const placed = capabilities.filter(({ service }) => service !== undefined);
  const serviceOf = new Map(placed.map(({ name, service }) => [name, service as string]));
  const owners = ownersOf(placed, ({ service }) => service as string);
  const groups = Map.groupBy(placed, ({ service }) => service as string);
  const services = [...groups].map(([name, own]) => ({
    name,
    capabilities: own.map((each) => each.name).sort(),
    owns: owners.filter(({ owner }) => owner === name).map(({ entity }) => entity),
    calls: [
      ...new Set(own.flatMap(({ dependencies }) => dependencies.map(({ on }) => serviceOf.get(on) ?? name))),
    ]
      .filter((other) => other !== name)
      .sort(),
  }));
  return { services: services.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

/** Reads a plan: a report of `analyse`, or `services` by name with `capabilities`, `owns` and `calls`. */
export function readPlan(document: unknown): Checked<Plan> {
  const reader = new Reader();
  if (isReport(document)) return { ok: true, value: planOfReport(document) };
  const root = reader.object(document, [], ['services']) ?? {};
  const found = root['services'];
  const byName = reader.object(
    found,
    ['services'],
    typeof found === 'object' && found ? Object.keys(found) : [],
  );
  const services = Object.entries(byName ?? {}).map(([name, value]) => {
    const path = ['services', name];
    const service = reader.object(value, path, ['capabilities', 'owns', 'calls']) ?? {};
    const list = (key: string): string[] => reader.texts(service[key], [...path, key]);
    return { name, capabilities: list('capabilities'), owns: list('owns'), calls: list('calls') };
  });
  checkPlan(services, reader);
  return reader.problems.length > 0
    ? { ok: false, problems: reader.problems }
    : { ok: true, value: { services } };
}

function isReport(document: unknown): document is BoundariesReport {
  return (
    typeof document === 'object' &&
    document !== null &&
    'format' in document &&
    document.format === 'heddle.boundaries/1'
  );
}

function checkPlan(services: readonly PlannedService[], reader: Reader): void {
  if (services.length === 0 && reader.problems.length === 0) {
    reader.report(['services'], 'expected at least one service; found none');
  }
  for (const key of ['owns', 'capabilities'] as const) {
    const owner = new Map<string, string>();
    for (const service of services) {
      service[key].forEach((each, at) => {
        const other = owner.get(each);
        if (other !== undefined)
          reader.report(['services', service.name, key, at], `"${each}" is also of ${other}`);
        else owner.set(each, service.name);
      });
    }
  }
  const names = new Set(services.map(({ name }) => name));
  for (const { name, calls } of services) {
    calls.forEach((other, at) => {
      if (!names.has(other)) reader.report(['services', name, 'calls', at], `unknown service "${other}"`);
    });
  }
}
