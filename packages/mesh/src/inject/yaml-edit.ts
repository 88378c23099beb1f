import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  visit,
  type YAMLMap,
} from 'yaml';
import type { PatchStep } from './json-patch.ts';

/** Does the steps in a document of YAML: what they do not name stays as it is written, with its comments. */
export function editDocument(document: Document, steps: readonly PatchStep[]): void {
  for (const step of steps) {
    const target = reach(document, step.path.slice(0, -1));
    const last = step.path.at(-1);
    if (last === undefined) continue;
    const node =
      step.op === 'remove'
        ? undefined
        : (document.createNode(step.value, { aliasDuplicateObjects: false }) as Node);
    if (isSeq(target) && typeof last === 'number')
      target.items.splice(last, step.op === 'add' ? 0 : 1, ...(node === undefined ? [] : [node]));
    else if (isMap(target)) setMember(document, target, String(last), node);
  }
}

/** The part at a path, its own: what an alias or a merge key shares with other places is copied first. */
function reach(document: Document, path: PatchStep['path']): unknown {
  let node: unknown = document.contents;
  release(document, node);
  for (const step of path) {
    node = isSeq(node) ? itemOf(document, node.items, Number(step)) : memberOf(document, node, String(step));
    release(document, node);
  }
  return node;
}

function itemOf(document: Document, items: unknown[], at: number): unknown {
  const item = items[at];
  if (!isAlias(item)) return item;
  items[at] = copyOf(document, item);
  return items[at];
}

function memberOf(document: Document, map: unknown, name: string): unknown {
  if (!isMap(map)) return undefined;
  const pair = map.items.find(({ key }) => nameOf(key) === name);
  if (pair !== undefined) {
    if (isAlias(pair.value)) pair.value = copyOf(document, pair.value);
    return pair.value;
  }
  const merged = mergedPair(document, map, name);
  if (merged === undefined) return undefined;
  const copied = isAlias(merged.value) ? copyOf(document, merged.value) : cloneOf(merged.value);
  map.items.push(document.createPair(name, copied));
  return copied;
}

function setMember(document: Document, map: YAMLMap, name: string, node: Node | undefined): void {
  if (node !== undefined) {
    map.set(name, node);
    return;
  }
  map.delete(name);
  // What a merge key brings in cannot be taken away alone: its members become the map's own.
  if (mergedPair(document, map, name) === undefined) return;
  const all = map.toJS(document) as Readonly<Record<string, unknown>>;
  map.items = map.items.filter(({ key }) => nameOf(key) !== '<<');
  for (const [key, value] of Object.entries(all))
    if (key !== name && !map.has(key)) map.set(key, document.createNode(value));
}

function mergedPair(document: Document, map: YAMLMap, name: string): Pair | undefined {
  const merge = map.items.find(({ key }) => nameOf(key) === '<<');
  if (merge === undefined) return undefined;
  const sources = isSeq(merge.value) ? merge.value.items : [merge.value];
  for (const source of sources) {
    const from = isAlias(source) ? source.resolve(document) : source;
    if (!isMap(from)) continue;
    const found = from.items.find(({ key }) => nameOf(key) === name) ?? mergedPair(document, from, name);
    if (isPair(found)) return found;
  }
  return undefined;
}

/** Copies a part into the places that refer to it by an alias, so that a change of it is a change of it alone. */
function release(document: Document, node: unknown): void {
  const anchor = (node as { anchor?: string } | null | undefined)?.anchor;
  if (anchor === undefined) return;
  visit(document, {
    Alias: (_key, alias) => (alias.resolve(document) === node ? (cloneOf(node) as Node) : undefined),
  });
  delete (node as { anchor?: string }).anchor;
}

function copyOf(document: Document, alias: Alias): unknown {
  return cloneOf(alias.resolve(document));
}

function cloneOf(node: unknown): unknown {
  const copy = (node as Node | undefined)?.clone() as Node | undefined;
  if (copy !== undefined)
    visit(copy, { Node: (_key, each) => void delete (each as { anchor?: string }).anchor });
  return copy;
}

function nameOf(key: unknown): string {
  const value = isScalar(key) ? key.value : key;
  // A merge key is a symbol where merging is on.
  return typeof value === 'symbol' ? (value.description ?? '') : String(value);
}
