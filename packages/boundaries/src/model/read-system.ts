import { checkConstraints } from './check-constraints.ts';
import { checkReferences } from './check-references.ts';
import type { Checked, Problem } from './problem.ts';
import { Reader } from './reader.ts';
import {
  type Capability,
  type Constraints,
  type Dependency,
  defaultWeights,
  type EntityUse,
  type Relation,
  type System,
  type UseCase,
  type Weights,
} from './system.ts';

type Path = Problem['path'];

const systemKeys = ['name', 'kind', 'capabilities', 'relations', 'useCases', 'constraints', 'weights'];
const capabilityKeys = [
  'name',
  'description',
  'entities',
  'operations',
  'dependencies',
  'team',
  'complexity',
  'deployment',
  'service',
  'paths',
];

/**
 * Reads a capability document, parsed from YAML or JSON. All that is wrong with it is told at once: shapes and unknown
 * keys, names that are given twice or not at all, and constraints that contradict themselves or each other.
 */
export function readSystem(document: unknown): Checked<System> {
  const reader = new Reader();
  const root = reader.object(document, [], systemKeys);
  if (root === undefined) return { ok: false, problems: reader.problems };
  const system: System = {
    name: reader.optionalText(root['name'], ['name']) ?? 'system',
    kind: reader.optionalWord(root['kind'], ['kind'], ['capabilities', 'parts']) ?? 'capabilities',
    capabilities: reader
      .list(root['capabilities'], ['capabilities'])
      .map(([v, p]) => capability(reader, v, p)),
    relations: reader.list(root['relations'], ['relations']).map(([v, p]) => relation(reader, v, p)),
    useCases: reader.list(root['useCases'], ['useCases']).map(([v, p]) => useCase(reader, v, p)),
    constraints: constraints(reader, root['constraints']),
    weights: weights(reader, root['weights']),
  };
  if (system.capabilities.length === 0) {
    reader.report(['capabilities'], 'expected at least one capability; found none');
  }
  checkReferences(system, reader);
  checkConstraints(system, reader);
  return reader.problems.length > 0 ? { ok: false, problems: reader.problems } : { ok: true, value: system };
}

function capability(reader: Reader, value: unknown, path: Path): Capability {
  const found = reader.object(value, path, capabilityKeys) ?? {};
  const at = (key: string): Path => [...path, key];
  const description = reader.optionalText(found['description'], at('description'));
  const team = reader.optionalText(found['team'], at('team'));
  const deployment = reader.optionalText(found['deployment'], at('deployment'));
  const service = reader.optionalText(found['service'], at('service'));
  return {
    // A value that is no object has had its problem; its name is then no second one.
    name: value === found ? (reader.text(found['name'], at('name')) ?? '') : '',
    entities: reader.list(found['entities'], at('entities')).flatMap(([v, p]) => entityUse(reader, v, p)),
    operations: reader.texts(found['operations'], at('operations')),
    dependencies: reader
      .list(found['dependencies'], at('dependencies'))
      .map(([v, p]) => dependency(reader, v, p)),
    complexity: reader.optionalNumber(found['complexity'], at('complexity'), { min: 0 }) ?? 1,
    paths: reader.texts(found['paths'], at('paths')),
    ...(description !== undefined && { description }),
    ...(team !== undefined && { team }),
    ...(deployment !== undefined && { deployment }),
    ...(service !== undefined && { service }),
  };
}

function entityUse(reader: Reader, value: unknown, path: Path): EntityUse[] {
  // A bare name is what the capability keeps: it writes it.
  if (typeof value === 'string') {
    const entity = reader.text(value, path);
    return entity === undefined ? [] : [{ entity, access: 'write' }];
  }
  const found = reader.object(value, path, ['name', 'access']);
  if (found === undefined) return [];
  const entity = reader.text(found['name'], [...path, 'name']);
  const access = reader.optionalWord(found['access'], [...path, 'access'], ['read', 'write']);
  return entity === undefined ? [] : [{ entity, access: access ?? 'write' }];
}

function dependency(reader: Reader, value: unknown, path: Path): Dependency {
  if (typeof value === 'string') return { on: reader.text(value, path) ?? '' };
  const found = reader.object(value, path, ['on', 'calls', 'latencyBudgetMs']) ?? {};
  const calls = reader.optionalNumber(found['calls'], [...path, 'calls'], { min: 0 });
  const place = [...path, 'latencyBudgetMs'];
  const latencyBudgetMs = reader.optionalNumber(found['latencyBudgetMs'], place, { min: 0 });
  return {
    on: value === found ? (reader.text(found['on'], [...path, 'on']) ?? '') : '',
    ...(calls !== undefined && { calls }),
    ...(latencyBudgetMs !== undefined && { latencyBudgetMs }),
  };
}

function relation(reader: Reader, value: unknown, path: Path): Relation {
  const found = reader.object(value, path, ['criterion', 'a', 'b', 'value', 'evidence']) ?? {};
  const at = (key: string): Path => [...path, key];
  return {
    criterion: reader.text(found['criterion'], at('criterion')) ?? '',
    a: reader.text(found['a'], at('a')) ?? '',
    b: reader.text(found['b'], at('b')) ?? '',
    value: reader.optionalNumber(found['value'], at('value'), { min: -1, max: 1 }) ?? 1,
    evidence: reader.optionalText(found['evidence'], at('evidence')) ?? 'stated in the document',
  };
}

function useCase(reader: Reader, value: unknown, path: Path): UseCase {
  const keys = ['name', 'rate', 'capabilities', 'reads', 'writes', 'calls'];
  const found = reader.object(value, path, keys) ?? {};
  const at = (key: string): Path => [...path, key];
  return {
    name: reader.text(found['name'], at('name')) ?? '',
    rate: reader.optionalNumber(found['rate'], at('rate'), { min: 0 }) ?? 1,
    capabilities: reader.texts(found['capabilities'], at('capabilities')),
    reads: reader.texts(found['reads'], at('reads')),
    writes: reader.texts(found['writes'], at('writes')),
    calls: reader.list(found['calls'], at('calls')).map(([each, place]) => {
      const call = reader.object(each, place, ['from', 'to', 'count']) ?? {};
      return {
        from: reader.text(call['from'], [...place, 'from']) ?? '',
        to: reader.text(call['to'], [...place, 'to']) ?? '',
        count: reader.optionalNumber(call['count'], [...place, 'count'], { min: 0 }) ?? 1,
      };
    }),
  };
}

function constraints(reader: Reader, value: unknown): Constraints {
  const path = ['constraints'];
  const keys = ['mustLink', 'cannotLink', 'minSize', 'maxSize', 'maxComplexity', 'oneTeamPerService'];
  const found = value === undefined || value === null ? {} : (reader.object(value, path, keys) ?? {});
  const groups = (key: string): string[][] =>
    reader.list(found[key], [...path, key]).map(([each, place]) => reader.texts(each, place));
  const number = (key: string, min: number): number | undefined =>
    reader.optionalNumber(found[key], [...path, key], { min });
  const [minSize, maxSize, maxComplexity] = [
    number('minSize', 1),
    number('maxSize', 1),
    number('maxComplexity', 0),
  ];
  const flag = reader.optionalFlag(found['oneTeamPerService'], [...path, 'oneTeamPerService']);
  return {
    mustLink: groups('mustLink'),
    cannotLink: groups('cannotLink'),
    oneTeamPerService: flag ?? false,
    ...(minSize !== undefined && { minSize }),
    ...(maxSize !== undefined && { maxSize }),
    ...(maxComplexity !== undefined && { maxComplexity }),
  };
}

function weights(reader: Reader, value: unknown): Weights {
  if (value === undefined || value === null) return defaultWeights;
  const found = reader.object(value, ['weights'], Object.keys(defaultWeights)) ?? {};
  const own = Object.keys(found).map((criterion) => {
    const place = ['weights', criterion];
    return [criterion, reader.optionalNumber(found[criterion], place, { min: 0 }) ?? 0] as const;
  });
  const all = { ...defaultWeights, ...Object.fromEntries(own) };
  if (Object.values(all).every((weight) => weight === 0)) {
    reader.report(['weights'], 'expected a weight above 0; found only zeros');
  }
  return all;
}
