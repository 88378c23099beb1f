import { membersOf } from '../coupling/likeness.ts';
import type { Capability, System, UseCase } from '../model/system.ts';

/** What one use case pays for a proposal. */
export interface UseCasePrice {
  readonly name: string;
  readonly rate: number;
  /** Calls between services each time, today and then. */
  readonly remoteCallsToday: number;
  readonly remoteCalls: number;
  /** The services whose data it writes. More than one: what was a transaction is a saga. */
  readonly writesIn: readonly string[];
  readonly becomesSaga: boolean;
}

/** What a proposal costs at run time. */
export interface Price {
  /** Calls between services that are added to a request, on the mean of all use cases by their rates. Below 0: saved. */
  readonly remoteCallsAddedPerRequest: number;
  readonly sagas: readonly string[];
  readonly useCases: readonly UseCasePrice[];
  /** What had to be assumed; empty where use cases were given with their calls. */
  readonly assumed: readonly string[];
}

type Places = (capability: string) => string | undefined;

/**
 * Prices a proposal against today: the services that the capabilities say they are in, otherwise one process for all.
 * Without use cases each capability that depends on others is taken for one.
 */
export function priceOf(
  system: System,
  serviceOf: Places,
  ownerOf: (entity: string) => string | undefined,
): Price {
  const byName = new Map(system.capabilities.map((capability) => [capability.name, capability]));
  const isToday = system.capabilities.some(({ service }) => service !== undefined);
  const today: Places = (name) => (isToday ? byName.get(name)?.service : 'today');
  const given = system.useCases.length > 0;
  const cases = given ? system.useCases : assumedCases(system.capabilities);
  const useCases = cases.map((useCase): UseCasePrice => {
    const writesIn = new Set(useCase.writes.map(ownerOf).filter((owner) => owner !== undefined));
    const wroteIn = new Set(useCase.writes.map((entity) => writerToday(entity, useCase, byName, today)));
    return {
      name: useCase.name,
      rate: useCase.rate,
      remoteCallsToday: remoteCalls(useCase, today),
      remoteCalls: remoteCalls(useCase, serviceOf),
      writesIn: [...writesIn].sort(),
      becomesSaga: writesIn.size > 1 && wroteIn.size <= 1,
    };
  });
  const rates = useCases.reduce((sum, { rate }) => sum + rate, 0);
  const added = useCases.reduce(
    (sum, each) => sum + each.rate * (each.remoteCalls - each.remoteCallsToday),
    0,
  );
  return {
    remoteCallsAddedPerRequest: rates === 0 ? 0 : added / rates,
    sagas: useCases.filter(({ becomesSaga }) => becomesSaga).map(({ name }) => name),
    useCases,
    assumed: assumptions(system, given, isToday),
  };
}

function assumptions(system: System, given: boolean, isToday: boolean): string[] {
  const said: string[] = [];
  if (!given)
    said.push('no use cases are given: each capability is one, with one call to each that it depends on');
  if (!given) said.push('what is written in one transaction is not known, so no saga can be named');
  else if (system.useCases.some(({ calls }) => calls.length === 0)) {
    said.push('use cases without calls are taken to make one call to each further service that they touch');
  }
  if (!isToday) said.push('today everything is in one process: no capability says which service it is in');
  return said;
}

function remoteCalls(useCase: UseCase, place: Places): number {
  if (useCase.calls.length > 0) {
    return useCase.calls
      .filter(({ from, to }) => place(from) !== place(to))
      .reduce((sum, { count }) => sum + count, 0);
  }
  const places = new Set([...membersOf(useCase)].map(place));
  return Math.max(0, places.size - 1);
}

/** Where the entity is written today, as far as the use case's own capabilities tell. */
function writerToday(
  entity: string,
  useCase: UseCase,
  byName: ReadonlyMap<string, Capability>,
  today: Places,
): string | undefined {
  const writer = [...membersOf(useCase)].find((name) =>
    byName.get(name)?.entities.some((use) => use.entity === entity && use.access === 'write'),
  );
  return today(writer ?? '');
}

function assumedCases(capabilities: readonly Capability[]): UseCase[] {
  return capabilities
    .filter(({ dependencies }) => dependencies.length > 0)
    .map(({ name, dependencies }) => ({
      name,
      rate: 1,
      capabilities: [name],
      reads: [],
      writes: [],
      calls: dependencies.map(({ on }) => ({ from: name, to: on, count: 1 })),
    }));
}
