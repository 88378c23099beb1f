import type { Capability } from '../model/system.ts';

/** What the rule that this product was imagined from answers, to the letter. */
export interface LiteralReport {
  readonly compat: 'seed';
  readonly summary: {
    readonly capabilities: number;
    readonly services: number;
    readonly averageCoupling: number;
  };
  readonly services: readonly {
    readonly name: string;
    readonly capabilities: readonly string[];
    /** In the order in which they were met. */
    readonly dataOwnership: readonly string[];
    readonly apiContracts: readonly string[];
    /** The mean complexity, under the name of a coupling. */
    readonly couplingScore: number;
  }[];
  readonly coupling: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly recommendations: readonly string[];
  readonly faults: readonly string[];
}

/** Why nobody should follow it. */
const faults: readonly string[] = [
  'It joins the capabilities whose coupling is at most 0.3: the unrelated ones. What is strongly coupled is kept apart.',
  'A group is compared by its first member only, and the first comer takes all: another order of the input gives other services.',
  'Different teams add 0.8 to a sum that stands for belonging together, the same team 0.2: it should be the other way round.',
  'The coupling score of a service is the mean complexity of its capabilities; above 0.7, and so always, it is called high coupling.',
  'Entities that several services own are named and left as they are.',
  'Operations of the same name (create, update) count as coupling; temporal and spatial coupling are declared and never measured.',
];

/** The literal rule, for readers who want to check it against the default one. Default threshold 0.3. */
export function literalRule(capabilities: readonly Capability[], threshold: number = 0.3): LiteralReport {
  const couplings = capabilities.map((a) => capabilities.map((b) => (a === b ? 0 : couplingOf(a, b))));
  const groups = greedyGroups(couplings, threshold);
  const services = groups.map((members) => serviceOf(members.map((at) => capabilities[at] as Capability)));
  const pairs = capabilities.length * (capabilities.length - 1);
  const sum = couplings.flat().reduce((all, each) => all + each, 0);
  return {
    compat: 'seed',
    summary: {
      capabilities: capabilities.length,
      services: services.length,
      averageCoupling: pairs === 0 ? 0 : sum / pairs,
    },
    services,
    coupling: Object.fromEntries(
      capabilities.map(({ name }, at) => [
        name,
        Object.fromEntries(capabilities.map((other, index) => [other.name, couplings[at]?.[index] ?? 0])),
      ]),
    ),
    recommendations: recommendationsOf(services),
    faults,
  };
}

function couplingOf(a: Capability, b: Capability): number {
  const data = jaccard(entitiesOf(a), entitiesOf(b));
  const depends = (x: Capability, y: Capability): boolean => x.dependencies.some(({ on }) => on === y.name);
  const functional =
    depends(a, b) || depends(b, a) ? 0.8 : jaccard(new Set(a.operations), new Set(b.operations));
  const team = a.team === b.team ? 0.2 : 0.8;
  return data * 0.4 + functional * 0.4 + team * 0.2;
}

function entitiesOf({ entities }: Capability): Set<string> {
  return new Set(entities.map(({ entity }) => entity));
}

function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = [...a].filter((each) => b.has(each)).length;
  const all = a.size + b.size - shared;
  return all === 0 ? 0 : shared / all;
}

function greedyGroups(couplings: readonly (readonly number[])[], threshold: number): number[][] {
  const taken = new Set<number>();
  return couplings.flatMap((row, first) => {
    if (taken.has(first)) return [];
    taken.add(first);
    const group = [first];
    row.forEach((coupling, other) => {
      if (taken.has(other) || coupling > threshold) return;
      taken.add(other);
      group.push(other);
    });
    return [group];
  });
}

function serviceOf(members: readonly Capability[]): LiteralReport['services'][number] {
  return {
    name: `${members[0]?.name.replaceAll('_', '-')}-service`,
    capabilities: members.map(({ name }) => name),
    dataOwnership: [...new Set(members.flatMap((each) => [...entitiesOf(each)]))],
    apiContracts: members.flatMap(({ name, operations }) =>
      operations.map((operation) => `/${name.toLowerCase()}/${operation}`),
    ),
    couplingScore: members.reduce((sum, { complexity }) => sum + complexity, 0) / members.length,
  };
}

function recommendationsOf(services: LiteralReport['services']): string[] {
  const said: string[] = [];
  if (services.length > 15) said.push('There are many services: consider joining related ones.');
  else if (services.length < 3) said.push('There are few services: there may be too much in each.');
  const high = services.filter(({ couplingScore }) => couplingScore > 0.7).map(({ name }) => name);
  if (high.length > 0)
    said.push(`The coupling of these services is high, design them anew: ${high.join(', ')}.`);
  const owners = new Map<string, string>();
  const conflicts = services.flatMap(({ name, dataOwnership }) =>
    dataOwnership.flatMap((entity) => {
      const owner = owners.get(entity);
      if (owner === undefined) owners.set(entity, name);
      return owner === undefined ? [] : [`${entity} is owned by ${owner} and ${name}`];
    }),
  );
  if (conflicts.length > 0) said.push(`There are conflicts of data ownership: ${conflicts.join('; ')}.`);
  return said;
}
