import type { Checked, Problem } from '../model/problem.ts';
import { Reader } from '../model/reader.ts';
import { capabilityOf, type Relation, type System, systemOf, type UseCase } from '../model/system.ts';
import { accessScores, cohesiveGroups, priorities, scales } from './service-cutter-scores.ts';

type Path = Problem['path'];

interface Entity {
  readonly name: string;
  readonly fields: readonly string[];
}

interface Model {
  readonly name: string;
  readonly entities: readonly Entity[];
  readonly relations: readonly {
    readonly origin: string;
    readonly destination: string;
    readonly type: string;
  }[];
}

/**
 * A system specification of Service Cutter: its domain model, and the user representations where there are any. The
 * nanoentities are what is grouped, and its criteria with its priorities take the place of ours (Gysel et al.,
 * "Service Cutter", ESOCC 2016).
 */
export function readServiceCutter(model: unknown, representations?: unknown): Checked<System> {
  const reader = new Reader();
  const domain = readModel(reader, model);
  const known = new Set(domain.entities.flatMap(({ fields }) => fields));
  if (known.size === 0) reader.report(['entities'], 'expected at least one nanoentity; found none');
  const users = readRepresentations(reader, representations ?? {}, known);
  if (reader.problems.length > 0) return { ok: false, problems: reader.problems };
  const relations = [
    ...identities(domain),
    ...proximity(domain, users.useCases),
    ...users.groups.flatMap(({ criterion, members }) => together(members, criterion, 1, criterion)),
    ...latency(users.useCases, users.critical),
    ...separated(users.zones),
    ...predefined(users.services, [...known]),
    ...users.scaled.flatMap(({ criterion, values }) => differing(criterion, values, [...known])),
  ];
  const criteria = new Set(relations.map(({ criterion }) => criterion));
  const value = systemOf({
    name: domain.name,
    kind: 'parts',
    capabilities: [...known].map((name) =>
      capabilityOf({ name, entities: [{ entity: name, access: 'write' }] }),
    ),
    relations: onceEach(relations),
    useCases: users.useCases,
    weights: Object.fromEntries(
      [...criteria].map((each) => [each, each in scales ? priorities.extraSmall : priorities.medium]),
    ),
  });
  return { ok: true, value };
}

function readModel(reader: Reader, value: unknown): Model {
  const found = reader.object(value, [], ['name', 'entities', 'relations']) ?? {};
  const entities = reader.list(found['entities'], ['entities']).map(([each, path]) => {
    const entity = reader.object(each, path, ['name', 'nanoentities']) ?? {};
    const name = reader.text(entity['name'], [...path, 'name']) ?? '';
    const fields = fieldsOf(reader, entity['nanoentities'], [...path, 'nanoentities']);
    return { name, fields: fields.map((field) => `${name}.${field}`) };
  });
  const names = new Set(entities.map(({ name }) => name));
  if (names.size < entities.length) {
    entities.forEach(({ name }, at) => {
      if (entities.findIndex((other) => other.name === name) < at) {
        reader.report(['entities', at, 'name'], `there are two entities "${name}"`);
      }
    });
  }
  const relations = reader.list(found['relations'], ['relations']).map(([each, path]) => {
    const relation = reader.object(each, path, ['origin', 'destination', 'type']) ?? {};
    const end = (key: string): string => {
      const name = reader.text(relation[key], [...path, key]) ?? '';
      if (name !== '' && !names.has(name)) reader.report([...path, key], `unknown entity "${name}"`);
      return name;
    };
    const kinds = ['AGGREGATION', 'COMPOSITION', 'INHERITANCE'] as const;
    const type = reader.optionalWord(relation['type'], [...path, 'type'], kinds) ?? 'AGGREGATION';
    return { origin: end('origin'), destination: end('destination'), type };
  });
  return { name: reader.optionalText(found['name'], ['name']) ?? 'system', entities, relations };
}

/** Nanoentities are written as their names, or as objects that have them. */
function fieldsOf(reader: Reader, value: unknown, path: Path): string[] {
  const found = reader.list(value, path).map(([each, place]) => {
    if (typeof each !== 'object' || each === null) return reader.text(each, place);
    return reader.text(reader.object(each, place, ['name'])?.['name'], [...place, 'name']);
  });
  return [...new Set(found.filter((each) => each !== undefined))];
}

interface Representations {
  readonly useCases: readonly UseCase[];
  readonly critical: ReadonlySet<string>;
  readonly groups: readonly { readonly criterion: string; readonly members: readonly string[] }[];
  readonly zones: readonly (readonly string[])[];
  readonly services: readonly (readonly string[])[];
  readonly scaled: readonly { readonly criterion: string; readonly values: ReadonlyMap<string, number> }[];
}

function readRepresentations(reader: Reader, value: unknown, known: ReadonlySet<string>): Representations {
  const keys = ['useCases', 'compatibilities', 'separatedSecurityZones', 'predefinedServices'];
  const found = reader.object(value, [], [...keys, ...Object.keys(cohesiveGroups)]) ?? {};
  const names = (list: unknown, path: Path): string[] =>
    reader.list(list, path).flatMap(([each, place]) => {
      const name = reader.text(each, place);
      if (name !== undefined && !known.has(name)) reader.report(place, `unknown nanoentity "${name}"`);
      return name === undefined ? [] : [name];
    });
  const groupsOf = (key: string): string[][] =>
    reader.list(found[key], [key]).map(([each, path]) => {
      const group = reader.object(each, path, ['name', 'nanoentities']) ?? {};
      return names(group['nanoentities'], [...path, 'nanoentities']);
    });
  const critical = new Set<string>();
  const useCases = reader.list(found['useCases'], ['useCases']).map(([each, path]) => {
    const allowed = ['name', 'nanoentitiesRead', 'nanoentitiesWritten', ...latencyKeys];
    const useCase = reader.object(each, path, allowed) ?? {};
    const name = reader.text(useCase['name'], [...path, 'name']) ?? '';
    for (const key of latencyKeys) if (flag(reader, useCase[key], [...path, key])) critical.add(name);
    const reads = names(useCase['nanoentitiesRead'], [...path, 'nanoentitiesRead']);
    const writes = names(useCase['nanoentitiesWritten'], [...path, 'nanoentitiesWritten']);
    return { name, rate: 1, capabilities: [...new Set([...reads, ...writes])], reads, writes, calls: [] };
  });
  return {
    useCases,
    critical,
    groups: Object.entries(cohesiveGroups).flatMap(([key, criterion]) =>
      groupsOf(key).map((members) => ({ criterion, members })),
    ),
    zones: groupsOf('separatedSecurityZones'),
    services: groupsOf('predefinedServices'),
    scaled: readScales(reader, found['compatibilities'], names),
  };
}

/** As its samples say it, and as its schema does. */
const latencyKeys = ['isLatencyCritical', 'latencyCritical'] as const;

/** True or false, which the samples write as texts. */
function flag(reader: Reader, value: unknown, path: Path): boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  return reader.optionalFlag(value, path) ?? false;
}

function readScales(
  reader: Reader,
  value: unknown,
  names: (list: unknown, path: Path) => string[],
): Representations['scaled'] {
  const found =
    value === undefined ? {} : (reader.object(value, ['compatibilities'], Object.keys(scales)) ?? {});
  return Object.entries(found).flatMap(([criterion, list]) => {
    const scale = scales[criterion];
    if (scale === undefined) return [];
    const values = new Map<string, number>();
    for (const [each, path] of reader.list(list, ['compatibilities', criterion])) {
      const step = reader.object(each, path, ['characteristic', 'nanoentities']) ?? {};
      const words = Object.keys(scale.steps);
      const word = reader.optionalWord(step['characteristic'], [...path, 'characteristic'], words) ?? '';
      for (const name of names(step['nanoentities'], [...path, 'nanoentities'])) {
        values.set(name, scale.steps[word] ?? scale.otherwise);
      }
    }
    return [{ criterion, values }];
  });
}

/** Each pair of members. */
function together(
  members: readonly string[],
  criterion: string,
  value: number,
  evidence: string,
): Relation[] {
  return members.flatMap((a, at) => members.slice(at + 1).map((b) => ({ criterion, a, b, value, evidence })));
}

/** What is composed into an entity, or inherits from it, lives and dies with it. */
function identities({ entities, relations }: Model): Relation[] {
  const criterion = 'identity and lifecycle';
  return entities.flatMap(({ name, fields }) => {
    const parts = relations.filter(({ origin, type }) => origin === name && type !== 'AGGREGATION');
    const more = parts.flatMap(
      ({ destination }) => entities.find((e) => e.name === destination)?.fields ?? [],
    );
    return together([...fields, ...more], criterion, 1, `one identity: ${name}`);
  });
}

/** Fields that are written together are near, those read together somewhat; a tenth of all pairs is as near as can be. */
function proximity({ entities, relations }: Model, useCases: readonly UseCase[]): Relation[] {
  const scores = new Map<string, { a: string; b: string; score: number; why: string[] }>();
  const add = (x: string, y: string, score: number, why: string): void => {
    if (x === y) return;
    const [a, b] = x < y ? [x, y] : [y, x];
    const entry = scores.get(`${a}\n${b}`) ?? { a, b, score: 0, why: [] };
    entry.score += score;
    if (!entry.why.includes(why)) entry.why.push(why);
    scores.set(`${a}\n${b}`, entry);
  };
  for (const { name, reads, writes } of useCases) {
    const why = `used together by ${name}`;
    for (const { a, b } of together(writes, '', 0, '')) add(a, b, accessScores.writeWrite, why);
    for (const { a, b } of together(reads, '', 0, '')) add(a, b, accessScores.readRead, why);
    for (const a of writes) for (const b of reads) add(a, b, accessScores.mixed, why);
  }
  const fieldsOf = (name: string): readonly string[] =>
    entities.find((each) => each.name === name)?.fields ?? [];
  for (const { origin, destination } of relations.filter(({ type }) => type === 'AGGREGATION')) {
    for (const a of fieldsOf(origin)) {
      for (const b of fieldsOf(destination))
        add(a, b, accessScores.aggregation, `${origin} refers to ${destination}`);
    }
  }
  const sorted = [...scores.values()].map(({ score }) => score).sort((x, y) => y - x);
  const top = sorted[Math.max(0, Math.floor(sorted.length / 10) - 1)] ?? 1;
  return [...scores.values()].map(({ a, b, score, why }) => {
    const evidence = `${why.slice(0, 3).join('; ')}${why.length > 3 ? ` and ${why.length - 3} more` : ''}`;
    return { criterion: 'semantic proximity', a, b, value: Math.min(1, score / top), evidence };
  });
}

function latency(useCases: readonly UseCase[], critical: ReadonlySet<string>): Relation[] {
  return useCases
    .filter(({ name }) => critical.has(name))
    .flatMap(({ name, capabilities }) => together(capabilities, 'latency', 1, `${name} must be fast`));
}

function separated(zones: readonly (readonly string[])[]): Relation[] {
  return zones.flatMap((zone, at) =>
    zones.slice(at + 1).flatMap((other) =>
      zone.flatMap((a) =>
        other.map((b) => ({
          criterion: 'security zones',
          a,
          b,
          value: -1,
          evidence: 'separate security zones',
        })),
      ),
    ),
  );
}

function predefined(services: readonly (readonly string[])[], all: readonly string[]): Relation[] {
  const criterion = 'predefined service';
  return services.flatMap((members) => {
    const inside = new Set(members);
    const apart = members.flatMap((a) =>
      all
        .filter((b) => !inside.has(b))
        .map((b) => ({ criterion, a, b, value: -1, evidence: 'only one is of the predefined service' })),
    );
    return [...together(members, criterion, 1, 'one predefined service'), ...apart];
  });
}

function differing(
  criterion: string,
  values: ReadonlyMap<string, number>,
  all: readonly string[],
): Relation[] {
  const usual = scales[criterion]?.otherwise ?? 0;
  const valueOf = (name: string): number => values.get(name) ?? usual;
  return all.flatMap((a, at) =>
    all.slice(at + 1).flatMap((b) => {
      const distance = Math.abs(valueOf(a) - valueOf(b));
      const evidence = `${criterion} ${valueOf(a)} and ${valueOf(b)} of 10`;
      return distance === 0 ? [] : [{ criterion, a, b, value: -distance / 10, evidence }];
    }),
  );
}

/** Being in two groups of a kind together is not twice as much. */
function onceEach(relations: readonly Relation[]): Relation[] {
  const byPair = new Map<string, Relation>();
  for (const relation of relations) {
    const { criterion, a, b } = relation;
    const key = a < b ? `${criterion}\n${a}\n${b}` : `${criterion}\n${b}\n${a}`;
    if (!byPair.has(key)) byPair.set(key, relation);
  }
  return [...byPair.values()];
}
