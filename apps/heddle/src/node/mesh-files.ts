import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { HeddleError } from '@heddle/kernel';
import { resourceFiles } from '../commands/mesh/resource-files.ts';
import type { MeshFiles } from '../control-plane/api-mesh-store.ts';

/** The rules of a mesh in a file or a folder, as somebody changes them; undefined for what is neither. */
export function meshFiles(place: string | undefined): MeshFiles | undefined {
  const kind = place === undefined ? undefined : statSync(place, { throwIfNoEntry: false });
  if (place === undefined || kind === undefined || !(kind.isDirectory() || kind.isFile())) return undefined;
  const folder = kind.isDirectory() ? place : path.dirname(place);
  const isOne = kind.isFile();
  const at = (file: string): string => {
    if (isOne && file !== path.basename(place)) throw onlyOne(place, file);
    return path.join(folder, file);
  };
  return {
    place,
    kind: 'files',
    nameOf: (file) => path.relative(folder, file),
    read: async () => {
      const files = await resourceFiles([place]);
      return files.map(({ file, text }) => ({ file: path.relative(folder, file), text }));
    },
    change: async ({ set, remove }) => {
      const to = [...set].map(([file, text]) => [at(file), text] as const);
      for (const [file, text] of to) replace(file, text);
      for (const file of remove) rmSync(at(file), { force: true });
    },
  };
}

/** Whoever watches the folder must never read half of a file. */
function replace(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const made = path.join(path.dirname(file), `.${path.basename(file)}.new`);
  writeFileSync(made, text);
  renameSync(made, file);
}

function onlyOne(place: string, file: string): HeddleError {
  const message = `the rules are the one file ${place}: there is no place for ${file}`;
  return new HeddleError({ code: 'failed_precondition', reason: 'ONE_FILE', message, sent: false });
}
