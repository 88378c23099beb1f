import { type Command, usageError } from '../command.ts';
import { nameForms } from '../new/names.ts';
import { pieceKinds } from '../new/piece-kinds.ts';
import { pieceFiles, pieceUses } from '../new/pieces.ts';
import { addDependencies, pieceTemplate, projectIn, writePiece } from '../node/project-folder.ts';
import { addUsage } from './add.usage.ts';

/** `heddle add`. */
export const add: Command = {
  ...addUsage,
  run: async (given, { terminal }) => {
    const [kind = '', word, ...rest] = given.words;
    if (pieceKinds[kind] === undefined || word === undefined || rest.length > 0) {
      throw usageError(`"heddle add" needs ${Object.keys(pieceKinds).join(' or ')}, and a name`);
    }
    const folder = given.text('folder') ?? '.';
    const project = projectIn(folder);
    const files = pieceFiles(pieceTemplate(kind), nameForms(word));
    writePiece(folder, files);
    const added = addDependencies(project, pieceUses(files));
    const paths = files.map(({ path }) => path);
    terminal.out(
      given.flag('json')
        ? `${JSON.stringify({ kind, name: word, folder, files: paths, dependencies: added }, undefined, 2)}\n`
        : `${paths.map((path) => `wrote ${path}\n`).join('')}${added.length === 0 ? '' : `added ${added.join(', ')} to package.json: npm install\n`}`,
    );
    return 0;
  },
};
