import { type Command, usageError } from '../command.ts';
import { completionScript, shells } from '../completion/scripts.ts';

/** `heddle completion`. */
export const completion: Command = {
  name: 'completion',
  summary: 'Print what makes a shell complete commands, words and options',
  words: 'bash|zsh|fish',
  options: {},
  examples: [
    'source <(heddle completion bash)',
    'heddle completion fish > ~/.config/fish/completions/heddle.fish',
  ],
  run: async (given, { terminal, commands }) => {
    const [word, ...rest] = given.words;
    const shell = shells.find((each) => each === word);
    if (shell === undefined || rest.length > 0)
      throw usageError('"heddle completion" needs bash, zsh or fish');
    terminal.out(completionScript(shell, await commands()));
    return 0;
  },
};
