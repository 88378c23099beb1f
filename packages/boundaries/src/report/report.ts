import { type Coupling, couplingOf } from '../coupling/coupling.ts';
import type { Significance } from '../grouping/significance.ts';
import { type GroupingOptions, type Solution, type Solutions, solutionsOf } from '../grouping/solutions.ts';
import { strongCoupling } from '../grouping/strong.ts';
import { type DecompositionMetrics, decompositionMetrics } from '../metrics/decomposition.ts';
import { membersOf as touchedBy } from '../coupling/likeness.ts';
import type { CouplingPart } from '../coupling/pair-table.ts';
import type { System, Weights } from '../model/system.ts';
import { membersOf, serviceNames } from './naming.ts';
import { type EntityOwner, ownersOf } from './ownership.ts';
import { type Price, priceOf } from './price.ts';
import { type Recommendation, recommendationsOf } from './recommendations.ts';
import { type ServiceReport, servicesOf } from './services.ts';

/** One of several proposals, in short. */
export interface Alternative {
  readonly services: readonly { readonly name: string; readonly capabilities: readonly string[] }[];
  readonly origin: string;
  readonly recommended: boolean;
  readonly modularity: number;
  /** The share of the coupling that is cut. */
  readonly crossing: number;
  readonly largestComplexity: number;
  readonly remoteCallsAddedPerRequest: number;
  readonly sagas: number;
}

/** What the analysis has to say. Plain data: JSON keeps all of it. */
export interface BoundariesReport {
  readonly format: 'heddle.boundaries/1';
  readonly name: string;
  readonly kind: System['kind'];
  readonly summary: {
    readonly capabilities: number;
    readonly services: number;
    readonly coupledPairs: number;
    /** Over all pairs, also those without any coupling. */
    readonly meanCoupling: number;
    /** Why these services and not others. */
    readonly explanation: string;
  };
  readonly weights: Weights;
  readonly significance: Significance;
  readonly services: readonly ServiceReport[];
  readonly ownership: readonly EntityOwner[];
  readonly metrics: DecompositionMetrics & { readonly modularity: number };
  readonly price: Price;
  readonly recommendations: readonly Recommendation[];
  readonly alternatives: readonly Alternative[];
  readonly matrix: {
    readonly capabilities: readonly string[];
    /** Positions in `capabilities`. The strongest come first where not all are kept. */
    readonly pairs: readonly {
      readonly a: number;
      readonly b: number;
      readonly coupling: number;
      readonly parts: readonly CouplingPart[];
    }[];
    /** How many weaker pairs were left out. */
    readonly omitted: number;
  };
}

/** More pairs than this nobody looks at, and no page can show. */
const keptPairs = 20_000;

/** From a system to its report: coupling, grouping, and all that follows. The system must be checked (`readSystem`). */
export function analyse(system: System, options: GroupingOptions = {}): BoundariesReport {
  const coupling = couplingOf(system);
  const solutions = solutionsOf(system, coupling, options);
  return reportOf(system, coupling, solutions);
}

function reportOf(system: System, coupling: Coupling, solutions: Solutions): BoundariesReport {
  const { recommended, tradeOff, significance, stability } = solutions;
  const priced = pricedOf(system, coupling, recommended);
  const { names, owners, price } = priced;
  const services = servicesOf({ coupling, partition: recommended.partition, names, stability, owners });
  const count = coupling.capabilities.length;
  const sum = coupling.pairs.reduce((all, pair) => all + pair.coupling, 0);
  const alternatives = tradeOff.map((each) => alternativeOf(system, coupling, each, each === recommended));
  return {
    format: 'heddle.boundaries/1',
    name: system.name,
    kind: system.kind,
    summary: {
      capabilities: count,
      services: services.length,
      coupledPairs: coupling.pairs.length,
      meanCoupling: count < 2 ? 0 : sum / ((count * (count - 1)) / 2),
      explanation: explanationOf(system, recommended, significance),
    },
    weights: coupling.weights,
    significance,
    services,
    ownership: owners,
    metrics: { modularity: recommended.modularity, ...metricsOf(system, coupling, recommended) },
    price,
    recommendations: recommendationsOf({ services, owners, price, constraints: system.constraints }),
    alternatives,
    matrix: matrixOf(coupling),
  };
}

function pricedOf(
  system: System,
  coupling: Coupling,
  { partition }: Solution,
): { names: string[]; owners: EntityOwner[]; price: Price } {
  const names = serviceNames(coupling, partition);
  const places = new Map(
    coupling.capabilities.map(({ name }, at) => [name, names[partition[at] as number] as string]),
  );
  const owners = ownersOf(coupling.capabilities, ({ name }) => places.get(name) as string);
  const owner = new Map(owners.map((each) => [each.entity, each.owner]));
  const price = priceOf(
    system,
    (name) => places.get(name),
    (entity) => owner.get(entity),
  );
  return { names, owners, price };
}

function alternativeOf(
  system: System,
  coupling: Coupling,
  solution: Solution,
  recommended: boolean,
): Alternative {
  const { names, price } = pricedOf(system, coupling, solution);
  return {
    services: membersOf(solution.partition).map((members, group) => ({
      name: names[group] as string,
      capabilities: members.map((at) => coupling.capabilities[at]?.name ?? ''),
    })),
    origin: solution.origin,
    recommended,
    modularity: solution.modularity,
    crossing: solution.crossing,
    largestComplexity: solution.largest,
    remoteCallsAddedPerRequest: price.remoteCallsAddedPerRequest,
    sagas: price.sagas.length,
  };
}

function metricsOf(
  system: System,
  { capabilities }: Coupling,
  { partition }: Solution,
): DecompositionMetrics {
  const position = new Map(capabilities.map(({ name }, at) => [name, at]));
  const calls = capabilities.flatMap(({ dependencies }, from) =>
    dependencies.map(({ on, calls: volume = 1 }) => ({ from, to: position.get(on) as number, volume })),
  );
  const touched = system.useCases.map((useCase) =>
    [...touchedBy(useCase)].map((name) => position.get(name) as number),
  );
  return decompositionMetrics(partition, calls, touched);
}

function explanationOf(system: System, { origin }: Solution, found: Significance): string {
  const modularity = `modularity ${found.modularity.toFixed(2)}, where chance gives ${found.byChance.toFixed(2)}`;
  if (origin.startsWith('the structure at resolution')) {
    return `Grouped into as many services as were asked for, or the nearest number: ${origin}.`;
  }
  if (origin !== 'strong coupling only') {
    // Parts are grouped by their structure even then, because none can be a service of its own.
    return found.significant
      ? `The coupling falls into groups by itself (${modularity}).`
      : `The coupling falls into groups no more clearly than chance would make it (${modularity}): take these as one possibility among the alternatives.`;
  }
  return (
    `The coupling does not fall into groups (${modularity}), so only what is coupled by more than ${strongCoupling} ` +
    `is joined: a dependency alone is an interface between services, no reason to be one. ` +
    `The alternatives show what joining more would save.`
  );
}

function matrixOf({ capabilities, pairs }: Coupling): BoundariesReport['matrix'] {
  const kept =
    pairs.length <= keptPairs
      ? pairs
      : pairs.toSorted((x, y) => y.coupling - x.coupling || x.a - y.a || x.b - y.b).slice(0, keptPairs);
  return {
    capabilities: capabilities.map(({ name }) => name),
    pairs: kept,
    omitted: pairs.length - kept.length,
  };
}
