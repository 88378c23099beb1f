import { type Command, usageError } from '../command.ts';
import { nameForms } from '../new/names.ts';
import { pieceFiles, pieceKinds, pieceUses } from '../new/pieces.ts';
import { addDependencies, pieceTemplate, projectIn, writePiece } from '../node/project-folder.ts';

/** `heddle add`. */
export const add: Command = {
  name: 'add',
  summary: 'Put a piece into a service: a saga, or a consumer of messages, with its test',
  words: `${Object.keys(pieceKinds).join('|')} <name>`,
  options: {
    folder: { type: 'string', value: 'DIR', help: 'The project; default: this folder' },
    json: { type: 'boolean', help: 'What was written, as JSON' },
  },
  examples: ['heddle add saga order-delivery', 'heddle add consumer order-events --folder services/billing'],
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
