import type { Runtime } from '@heddle/kernel';
import { resourceFiles } from '../../commands/mesh/resource-files.ts';
import { watchDocuments } from '../../node/config-documents.ts';
import type { RuleSource } from './rule-source.ts';

/** The rules of a mesh in a file or a folder, which is watched. */
export function meshFolder(place: string, runtime: Runtime): RuleSource {
  return {
    name: `folder ${place}`,
    revision: undefined,
    drift: [],
    isPerObject: false,
    read: () => resourceFiles([place]),
    watch: (changed) => watchDocuments(place, runtime, changed),
    close: () => Promise.resolve(),
  };
}
