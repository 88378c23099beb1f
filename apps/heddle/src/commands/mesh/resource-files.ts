import type { ResourceFile } from '@heddle/mesh/resources';
import { usageError } from '../../command.ts';
import { filesUnder } from '../../node/boundaries-files.ts';
import { readTextFile } from '../../node/config-file.ts';
import { readInput } from '../../node/read-input.ts';

/**
 * The texts that the words of a command name: files, folders with all their YAML and JSON, and `-` for the input, which
 * is called `inputName`.
 */
export async function resourceFiles(
  paths: readonly string[],
  inputName = 'stdin',
): Promise<readonly ResourceFile[]> {
  if (paths.length === 0) throw usageError('expected a file, a folder or - for the input');
  const files: ResourceFile[] = [];
  for (const path of paths) {
    if (path === '-') files.push({ file: inputName, text: await readInput() });
    else {
      for (const file of filesUnder(path, ['.yaml', '.yml', '.json'])) {
        files.push({ file, text: readTextFile(file, 'resource file') });
      }
    }
  }
  return files;
}
