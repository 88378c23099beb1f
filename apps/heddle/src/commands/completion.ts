import { type Command, usageError } from '../command.ts';
import { completionScript, shells } from '../completion/scripts.ts';
import { completionUsage } from './completion.usage.ts';

/** `heddle completion`. */
export const completion: Command = {
  ...completionUsage,
  run: async (given, { terminal, commands }) => {
    const [word, ...rest] = given.words;
    const shell = shells.find((each) => each === word);
    if (shell === undefined || rest.length > 0)
      throw usageError('"heddle completion" needs bash, zsh or fish');
    terminal.out(completionScript(shell, commands));
    return 0;
  },
};
