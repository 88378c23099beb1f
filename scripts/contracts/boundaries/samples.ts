// The public systems that the analyser is held to, read in place beside the project.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readRelationTables, readServiceCutter, type System, type TableKind } from '@heddle/boundaries';
import { root } from '../../files.ts';

const data = path.join(root, '..', 'shared', 'data', 'decomposition');

/** Why the samples cannot be used; undefined if they can. */
export function samplesMissing(): string | undefined {
  return existsSync(data)
    ? undefined
    : `the samples in ${path.join('..', 'shared', 'data', 'decomposition')} are not there`;
}

/** A sample of Service Cutter, optionally with its documents changed. */
export function serviceCutterSample(
  name: 'booking' | 'trading',
  change: (document: unknown) => unknown = (document) => document,
): System {
  const read = (part: string): unknown =>
    change(JSON.parse(readFileSync(path.join(data, 'service-cutter', `${name}_${part}.json`), 'utf8')));
  const system = readServiceCutter(read('1_model'), read('2_user_representations'));
  if (!system.ok) throw new Error(`${name}: ${JSON.stringify(system.problems)}`);
  return system.value;
}

const tables: readonly (readonly [kind: TableKind, file: string])[] = [
  ['calls', 'structural_static'],
  ['names', 'semantic_names'],
  ['terms', 'semantic_terms'],
];

/** A code base with a manual reference, as its relation tables; lines may be left out. */
export function codeBase(
  name: 'jpetstore' | 'partsunlimited',
  keep: (kind: TableKind, line: string) => boolean = () => true,
): System {
  const read = tables.map(([kind, file]) => {
    const [head = '', ...lines] = readFileSync(path.join(data, name, `${file}.csv`), 'utf8')
      .trim()
      .split('\n');
    return { kind, text: [head, ...lines.filter((line) => keep(kind, line))].join('\n') };
  });
  const system = readRelationTables(read);
  if (!system.ok) throw new Error(`${name}: ${JSON.stringify(system.problems)}`);
  return system.value;
}

/** The text of its manual reference. */
export function referenceText(name: 'jpetstore' | 'partsunlimited'): string {
  return readFileSync(path.join(data, name, 'ground_truth.rsf'), 'utf8');
}
