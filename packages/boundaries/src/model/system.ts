/** A kind of coupling. The weights of a system may name others, as Service Cutter's sixteen are. */
export type Criterion = string;

/** How much each criterion counts in the coupling of a pair. A weight of 0 removes the criterion altogether. */
export type Weights = Readonly<Record<Criterion, number>>;

/** The weights where none are given: data, functional and team are always there, the others where there is evidence. */
export const defaultWeights: Weights = {
  data: 0.4,
  functional: 0.4,
  team: 0.2,
  temporal: 0.2,
  spatial: 0.1,
  vocabulary: 0.2,
};

/** Whether an entity is only read. What writes it may read it too. */
export type Access = 'read' | 'write';

/** A capability's use of an entity of data. */
export interface EntityUse {
  readonly entity: string;
  readonly access: Access;
}

/** A capability needs another one. */
export interface Dependency {
  readonly on: string;
  /** How often it was seen to call, in calls of the whole observation. Undefined: declared, not counted. */
  readonly calls?: number;
  /** Its share of all calls that the capability makes, where calls were watched one by one: see `systemOfTraces`. */
  readonly share?: number;
  /** The answer is needed within this many milliseconds: such capabilities want to be near each other. */
  readonly latencyBudgetMs?: number;
}

/** What is grouped: a business capability, or a part of code or data that stands for a piece of one. */
export interface Capability {
  readonly name: string;
  readonly description?: string;
  readonly entities: readonly EntityUse[];
  readonly operations: readonly string[];
  readonly dependencies: readonly Dependency[];
  readonly team?: string;
  /** Any scale, as long as it is one. 1 where it is not given. Never part of the coupling. */
  readonly complexity: number;
  /** Where it runs, in whatever words: equal words run together. */
  readonly deployment?: string;
  /** The service that it belongs to today. */
  readonly service?: string;
  /** Beginnings of the paths of its files, for the evidence of a git history. */
  readonly paths: readonly string[];
}

/** One piece of evidence that two capabilities belong together, or apart where the value is below 0. */
export interface Relation {
  readonly criterion: Criterion;
  readonly a: string;
  readonly b: string;
  /** From -1 to 1. Several of one criterion and pair are added, up to these bounds. */
  readonly value: number;
  readonly evidence: string;
}

/** Something that users do: what it touches, and how often it is done. */
export interface UseCase {
  readonly name: string;
  /** Relative to the other use cases. */
  readonly rate: number;
  readonly capabilities: readonly string[];
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Calls between capabilities each time it is done. */
  readonly calls: readonly { readonly from: string; readonly to: string; readonly count: number }[];
}

/** What every proposal must obey. */
export interface Constraints {
  /** Groups that stay together. */
  readonly mustLink: readonly (readonly string[])[];
  /** Groups of which no two may be together. */
  readonly cannotLink: readonly (readonly string[])[];
  readonly minSize?: number;
  readonly maxSize?: number;
  /** The most complexity that one service may add up to. */
  readonly maxComplexity?: number;
  /** No service with capabilities of two teams. */
  readonly oneTeamPerService: boolean;
}

/** All that is known of a system, from one source or from several. */
export interface System {
  readonly name: string;
  /**
   * `capabilities`: each could be a service of its own, so only strong or clearly structured coupling joins them.
   * `parts` (classes, tables, fields, operations): none can, so the structure alone decides.
   */
  readonly kind: 'capabilities' | 'parts';
  readonly capabilities: readonly Capability[];
  readonly relations: readonly Relation[];
  readonly useCases: readonly UseCase[];
  readonly constraints: Constraints;
  readonly weights: Weights;
}

/** No constraint at all. */
export const unconstrained: Constraints = { mustLink: [], cannotLink: [], oneTeamPerService: false };

/** A system with nothing in it but what is given. */
export function systemOf(parts: Partial<System> & Pick<System, 'capabilities'>): System {
  return {
    name: 'system',
    kind: 'capabilities',
    relations: [],
    useCases: [],
    constraints: unconstrained,
    weights: defaultWeights,
    ...parts,
  };
}

/** A capability with nothing known but its name and what is given. */
export function capabilityOf(parts: Partial<Capability> & Pick<Capability, 'name'>): Capability {
  return { entities: [], operations: [], dependencies: [], complexity: 1, paths: [], ...parts };
}
