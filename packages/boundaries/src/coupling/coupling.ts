import type { Capability, Criterion, System, Weights } from '../model/system.ts';
import { addDataCoupling } from './data.ts';
import { addFunctionalCoupling } from './functional.ts';
import { addSpatialCoupling, addTeamCoupling, addUseCaseCoupling } from './likeness.ts';
import { type CouplingPart, PairTable } from './pair-table.ts';
import { nearestOnly } from './nearest.ts';

/** How much two capabilities belong together, and why. Positions are those of `Coupling.capabilities`. */
export interface CoupledPair {
  readonly a: number;
  readonly b: number;
  /** The weighted mean of the parts, from -1 to 1. Below 0: better apart. */
  readonly coupling: number;
  readonly parts: readonly CouplingPart[];
}

/** The coupling of a system. Pairs that are not listed have none. */
export interface Coupling {
  /** In the order of their names, so that the order of the input changes nothing. */
  readonly capabilities: readonly Capability[];
  readonly pairs: readonly CoupledPair[];
  /** The weights that counted: of the criteria that every system is judged by, and of those with evidence. */
  readonly weights: Weights;
}

/** These count whether there is evidence or not: what is not shared is known not to be shared. */
const always: readonly Criterion[] = ['data', 'functional', 'team'];

/** Measures every pair of a system. Names must be unique and references known (see `readSystem`). */
export function couplingOf(system: System): Coupling {
  const capabilities = system.capabilities.toSorted(byName);
  const table = new PairTable(capabilities.length);
  const { weights } = system;
  const wanted = (criterion: Criterion): boolean => (weights[criterion] ?? 0) > 0;
  if (wanted('data')) addDataCoupling(capabilities, table);
  if (wanted('functional')) addFunctionalCoupling(capabilities, table);
  if (wanted('temporal')) addUseCaseCoupling(capabilities, system.useCases, table);
  addRelations(system, capabilities, table);
  if (wanted('spatial')) addSpatialCoupling(capabilities, table);
  // Last: in a crowded team it looks at what the others have found.
  if (wanted('team')) addTeamCoupling(capabilities, table);
  return weighted(capabilities, table, weights);
}

function addRelations(system: System, capabilities: readonly Capability[], table: PairTable): void {
  const position = new Map(capabilities.map(({ name }, at) => [name, at]));
  const counted = system.relations.filter(({ criterion }) => (system.weights[criterion] ?? 0) > 0);
  for (const { criterion, a, b, value, evidence } of nearestOnly(counted)) {
    table.add(position.get(a) as number, position.get(b) as number, { criterion, value, evidence });
  }
}

function weighted(capabilities: readonly Capability[], table: PairTable, weights: Weights): Coupling {
  const entries = [...table.entries()];
  const found = new Set<Criterion>(always);
  for (const [, , parts] of entries) for (const { criterion } of parts) found.add(criterion);
  const counted = Object.entries(weights).filter(([criterion, weight]) => weight > 0 && found.has(criterion));
  const total = counted.reduce((sum, [, weight]) => sum + weight, 0);
  const pairs = entries.map(([a, b, parts]) => {
    const sum = parts.reduce((all, { criterion, value }) => all + value * (weights[criterion] ?? 0), 0);
    return { a, b, coupling: sum / total, parts };
  });
  return { capabilities, pairs, weights: Object.fromEntries(counted) };
}

/** By code units: the same everywhere, whatever the language of the machine. */
export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
