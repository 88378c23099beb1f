import { HeddleError } from '@heddle/kernel';
import { type Document, isMap, isSeq, parseAllDocuments, type YAMLMap } from 'yaml';

/** Which VirtualService, and between which subsets of its destinations. */
export interface Shift {
  readonly name: string;
  /** Undefined: of any namespace. */
  readonly namespace: string | undefined;
  readonly from: string;
  readonly to: string;
}

/**
 * The text of a file with other weights: `percent` for the new subset, the rest of 100 for the old one, in every HTTP
 * rule that sends to both. Comments and all else stay as they are. Throws `failed_precondition` / `NO_SUCH_SPLIT`
 * where no rule does.
 */
export function shiftWeights(text: string, { name, namespace, from, to }: Shift, percent: number): string {
  const documents = parseAllDocuments(text);
  const all: readonly Document.Parsed[] = Array.isArray(documents) ? documents : [];
  let changed = 0;
  for (const document of all) {
    if (document.get('kind') !== 'VirtualService' || document.getIn(['metadata', 'name']) !== name) continue;
    const own = document.getIn(['metadata', 'namespace']) ?? 'default';
    if (namespace !== undefined && own !== namespace) continue;
    const http = document.getIn(['spec', 'http']);
    for (const rule of isSeq(http) ? http.items : []) changed += shiftRule(rule, from, to, percent);
  }
  if (changed === 0) {
    const message = `no rule of a VirtualService "${name}" sends to both subsets "${from}" and "${to}"`;
    throw new HeddleError({ code: 'failed_precondition', reason: 'NO_SUCH_SPLIT', message, sent: false });
  }
  return all
    .map((document, index) => (index === 0 ? document.toString() : withMarker(document.toString())))
    .join('');
}

function withMarker(text: string): string {
  return text.startsWith('---') ? text : `---\n${text}`;
}

function shiftRule(rule: unknown, from: string, to: string, percent: number): number {
  const route = isMap(rule) ? rule.get('route') : undefined;
  const shares = isSeq(route) ? route.items.filter((item): item is YAMLMap => isMap(item)) : [];
  const shareOf = (subset: string): YAMLMap | undefined =>
    shares.find((share) => share.getIn(['destination', 'subset']) === subset);
  const [old, next] = [shareOf(from), shareOf(to)];
  if (old === undefined || next === undefined) return 0;
  old.set('weight', 100 - percent);
  next.set('weight', percent);
  return 1;
}
