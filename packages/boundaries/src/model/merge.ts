import { type Checked } from './problem.ts';
import { checkConstraints } from './check-constraints.ts';
import { checkReferences } from './check-references.ts';
import { Reader } from './reader.ts';
import { type Capability, type Dependency, type EntityUse, type System } from './system.ts';

/**
 * One system from several sources: capabilities of the same name are one, evidence is added up. The kind, the
 * constraints and the weights are those of the first that is told to have them, which is the capability document.
 */
export function mergeSystems(systems: readonly System[]): Checked<System> {
  const [first] = systems;
  if (first === undefined)
    return { ok: false, problems: [{ path: [], message: 'expected an input; found none' }] };
  const capabilities = new Map<string, Capability>();
  for (const capability of systems.flatMap((system) => system.capabilities)) {
    const known = capabilities.get(capability.name);
    capabilities.set(capability.name, known === undefined ? capability : merged(known, capability));
  }
  const constraints = systems.map((system) => system.constraints);
  const system: System = {
    name: first.name,
    kind: first.kind,
    capabilities: [...capabilities.values()],
    relations: systems.flatMap(({ relations }) => relations),
    useCases: systems.flatMap(({ useCases }) => useCases),
    constraints: {
      ...Object.assign({}, ...constraints.toReversed()),
      mustLink: constraints.flatMap(({ mustLink }) => mustLink),
      cannotLink: constraints.flatMap(({ cannotLink }) => cannotLink),
      oneTeamPerService: constraints.some(({ oneTeamPerService }) => oneTeamPerService),
    },
    weights: Object.assign({}, ...systems.toReversed().map(({ weights }) => weights)),
  };
  const reader = new Reader();
  checkReferences(system, reader);
  checkConstraints(system, reader);
  return reader.problems.length > 0 ? { ok: false, problems: reader.problems } : { ok: true, value: system };
}

function merged(first: Capability, second: Capability): Capability {
  return {
    ...second,
    ...first,
    entities: uniqueUses([...first.entities, ...second.entities]),
    operations: [...new Set([...first.operations, ...second.operations])],
    dependencies: uniqueDependencies([...first.dependencies, ...second.dependencies]),
    paths: [...new Set([...first.paths, ...second.paths])],
    complexity: Math.max(first.complexity, second.complexity),
  };
}

/** One use of each entity: who writes it may read it as well. */
export function uniqueUses(uses: readonly EntityUse[]): EntityUse[] {
  const byEntity = new Map<string, EntityUse>();
  for (const use of uses) {
    if (byEntity.get(use.entity)?.access !== 'write') byEntity.set(use.entity, use);
  }
  return [...byEntity.values()];
}

/** One dependency on each capability, with the calls of all. */
export function uniqueDependencies(dependencies: readonly Dependency[]): Dependency[] {
  const byName = new Map<string, Dependency>();
  for (const dependency of dependencies) {
    const known = byName.get(dependency.on);
    const calls = [known?.calls, dependency.calls].filter((count) => count !== undefined);
    byName.set(dependency.on, {
      ...known,
      ...dependency,
      ...(calls.length > 0 && { calls: calls.reduce((sum, count) => sum + count, 0) }),
    });
  }
  return [...byName.values()];
}
