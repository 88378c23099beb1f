import type { CatalogueEntry } from './catalogue.ts';
import { fieldOf, type Finding, type ObjectName, type Position } from './finding.ts';
import type { Path } from './shape.ts';

/** Where a finding lies. */
export interface FindingPlace {
  readonly file: string;
  readonly at: (path: Path) => Position;
  readonly object?: ObjectName;
}

/** Makes a finding of a catalogue's entry. `fix` and `severity` replace the entry's where a case needs its own. */
export function makeFinding(
  code: string,
  entry: CatalogueEntry,
  place: FindingPlace,
  path: Path,
  message: string,
  own: { readonly fix?: string; readonly severity?: Finding['severity'] } = {},
): Finding {
  return {
    code,
    severity: own.severity ?? entry.severity,
    file: place.file,
    ...place.at(path),
    ...(place.object !== undefined && { object: place.object }),
    field: fieldOf(path),
    message,
    explanation: entry.explanation,
    fix: own.fix ?? entry.fix,
    documented: entry.documented,
  };
}
