import { type Command, usageError } from '../command.ts';
import { nameForms } from '../new/names.ts';
import { projectFiles, type ProjectFile } from '../new/project.ts';
import { packedPackages, templateFiles, writeProject } from '../node/project-folder.ts';
import { newUsage } from './new.usage.ts';

/** `heddle new`. */
export const newProject: Command = {
  ...newUsage,
  run: async (given, { terminal }) => {
    const [word, ...rest] = given.words;
    if (word === undefined || rest.length > 0) throw usageError('"heddle new" needs one name');
    const name = nameForms(word);
    const folder = given.text('folder') ?? name.kebab;
    const template = templateFiles();
    const from = given.text('packages');
    const packed =
      from === undefined ? undefined : { folder: from, packages: packedPackages(from, used(template)) };
    const files = projectFiles(template, name, packed?.packages);
    writeProject(folder, files, packed);
    const paths = files.map(({ path }) => path);
    terminal.out(
      given.flag('json')
        ? `${JSON.stringify({ name: name.kebab, folder, files: paths }, undefined, 2)}\n`
        : `made ${name.kebab} in ${folder}, ${paths.length} files\n\n  cd ${folder}\n  npm install && npm test\n  heddle dev      # beside a running "heddle up"\n`,
    );
    return 0;
  },
};

/** The packages of Heddle that the template names. */
function used(template: readonly ProjectFile[]): string[] {
  const text = template.find(({ path }) => path === 'package.json')?.content ?? '{}';
  const { dependencies, devDependencies } = JSON.parse(text) as Record<string, object>;
  return Object.keys({ ...dependencies, ...devDependencies }).filter((name) => name.startsWith('@heddle/'));
}
