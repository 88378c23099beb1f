import type { Operation } from '../operation/operation.ts';
import { operationsOf } from '../operation/operations.ts';
import type { CatalogueEntry } from './catalogue-entry.ts';

/** An operation that was looked for. */
export interface FoundOperation {
  readonly service: string;
  readonly kind: Operation['kind'];
  readonly id: string;
  readonly summary: string;
}

/** Operations of the newest versions that have all words of `text` in their service, id or summary, without regard to case. */
export function searchCatalogue(entries: Iterable<CatalogueEntry>, text: string): readonly FoundOperation[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found: FoundOperation[] = [];
  for (const { service, versions } of entries) {
    const newest = versions.at(-1);
    if (newest === undefined) continue;
    for (const { kind, id, summary } of operationsOf(newest.contract)) {
      const all = `${service} ${id} ${summary}`.toLowerCase();
      if (words.every((word) => all.includes(word))) found.push({ service, kind, id, summary });
    }
  }
  return found;
}
