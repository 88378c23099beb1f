import type { CommandUsage } from '../command.ts';

/** How `heddle completion` is called. */
export const completionUsage: CommandUsage = {
  name: 'completion',
  summary: 'Print what makes a shell complete commands, words and options',
  words: 'bash|zsh|fish',
  options: {},
  examples: [
    'source <(heddle completion bash)',
    'heddle completion fish > ~/.config/fish/completions/heddle.fish',
  ],
};
