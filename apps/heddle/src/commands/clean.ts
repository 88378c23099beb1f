import path from 'node:path';
import { removeEmbeddedPostgres } from '@heddle/sql';
import type { Command } from '../command.ts';
import { claimFolder, emptyFolder, holdsUp, removeIfEmpty } from '../node/data-folder.ts';
import { cleanUsage } from './clean.usage.ts';

/** `heddle clean`. */
export const clean: Command = {
  ...cleanUsage,
  run: async (given, { terminal }) => {
    const named = given.text('data') ?? '.heddle';
    if (!holdsUp(named)) {
      terminal.out(`there is nothing of heddle up in ${path.resolve(named)}\n`);
      return 0;
    }
    const folder = claimFolder(named);
    try {
      // Before the rest of the folder: for root it may be a link to where the database lies.
      await removeEmbeddedPostgres(path.join(folder.path, 'postgres'));
      emptyFolder(folder);
    } finally {
      folder.release();
    }
    removeIfEmpty(folder);
    terminal.out(`deleted what heddle up had left in ${folder.path}\n`);
    return 0;
  },
};
