import { HeddleError } from '@heddle/kernel';
import type { Finding } from './finding.ts';
import { type Loaded, loadResources, type LoadOptions, type ResourceFile } from './load.ts';
import type { Resource } from './resource.ts';

/**
 * Reads resources that are to be applied: refused as a whole where any has an error, with all of them in `details`.
 * The last good resources stay what they are with whoever asked.
 */
export function acceptResources(
  files: readonly ResourceFile[],
  options: LoadOptions = {},
): readonly Resource[] {
  const loaded = loadResources(files, options);
  refuseErrors(loaded);
  return loaded.resources;
}

function refuseErrors({ findings }: Loaded): void {
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return;
  throw new HeddleError({
    code: 'invalid_argument',
    reason: 'BAD_RESOURCES',
    message: errors.map(oneLine).join('; '),
    sent: false,
    details: errors.map((value) => ({ type: 'heddle.mesh.Finding', value })),
  });
}

function oneLine({ file, line, field, message }: Finding): string {
  return `${file}:${line}: ${field === '' ? '' : `${field}: `}${message}`;
}
