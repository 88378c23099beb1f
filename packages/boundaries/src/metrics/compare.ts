import { adjustedRand, mojofm } from './reference.ts';

/** Which service each thing is in. A later line of a thing that is named twice holds. */
export type Assignment = ReadonlyMap<string, string>;

/** How near a partition is to another, which is taken to be right. */
export interface Comparison {
  readonly mojofm: number;
  readonly ari: number;
  /** The things of the reference. Those that were not placed count as one service of their own. */
  readonly items: number;
  readonly services: number;
  readonly referenceServices: number;
  readonly unplaced: readonly string[];
  /** What the reference does not know, and so does not count. */
  readonly ignored: number;
}

/**
 * Compares by the things of the reference. Its names may be short: `Order` is `shop.model.Order` where no other thing
 * ends so, or all that do are in one service; otherwise it counts as not placed. A nested class, `Order$Line`, is where
 * the class around it is, if it is not placed itself.
 */
export function compareAssignments(found: Assignment, reference: Assignment): Comparison {
  const endings = new Map<string, string | undefined>();
  for (const [name, service] of found) {
    const short = name.split('.').at(-1) as string;
    const other = endings.get(short);
    const unsure = endings.has(short) && (other === undefined || found.get(other) !== service);
    endings.set(short, unsure ? undefined : name);
  }
  const nameOf = (item: string): string | undefined => (found.has(item) ? item : endings.get(item));
  const used = new Set<string>();
  const unplaced: string[] = [];
  const labels: string[] = [];
  for (const item of reference.keys()) {
    const name = nameOf(item) ?? nameOf(item.split('$', 1)[0] as string);
    if (name === undefined) unplaced.push(item);
    else used.add(name);
    labels.push(name === undefined ? '\u0000unplaced' : (found.get(name) as string));
  }
  const wanted = [...reference.values()];
  return {
    mojofm: mojofm(labels, wanted),
    ari: adjustedRand(labels, wanted),
    items: reference.size,
    services: new Set(found.values()).size,
    referenceServices: new Set(wanted).size,
    unplaced,
    ignored: found.size - used.size,
  };
}

/** Reads a reference: lines of `contain <service> <thing>` (RSF), or a table whose first column names the thing. */
export function readReference(text: string): Assignment | undefined {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const found = new Map<string, string>();
  if (lines[0]?.startsWith('contain ')) {
    for (const line of lines) {
      const [word, service, item, ...more] = line.split(/\s+/);
      if (word !== 'contain' || service === undefined || item === undefined || more.length > 0)
        return undefined;
      found.set(item, service);
    }
    return found;
  }
  const columns = lines[0]?.split(',') ?? [];
  const service = columns.indexOf('reference decomposition');
  if (service < 0) return undefined;
  for (const line of lines.slice(1)) {
    const cells = line.split(',');
    if (cells[0] !== undefined && cells[service]) found.set(cells[0], cells[service]);
  }
  return found.size === 0 ? undefined : found;
}
