import type { Finding, Path, Resource } from '../resources/index.ts';
import type { AnalysisCode } from './catalogue.ts';
import type { Inventory } from './inventory.ts';

/** Tells of a finding at a place of a resource. */
export type Tell = (
  code: AnalysisCode,
  resource: Resource,
  path: Path,
  message: string,
  own?: { readonly fix?: string; readonly severity?: Finding['severity'] },
) => void;

/** Looks for one kind of mistake in a whole mesh. */
export type Check = (inventory: Inventory, tell: Tell) => void;
