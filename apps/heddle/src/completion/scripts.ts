import type { CommandUsage } from '../command.ts';

/** What may follow a command: the words that it knows by name, and its options. */
export interface Choices {
  readonly command: string;
  readonly summary: string;
  readonly words: readonly string[];
  readonly options: readonly { readonly name: string; readonly help: string; readonly takesValue: boolean }[];
}

/** The choices of each command. */
export function choices(commands: readonly CommandUsage[]): Choices[] {
  return commands.map(({ name, summary, words, options }) => ({
    command: name,
    summary,
    words: knownWords(words),
    options: [
      ...Object.entries(options).map(([option, { help, type }]) => ({
        name: option,
        help,
        takesValue: type === 'string',
      })),
      { name: 'help', help: 'What it does, with examples', takesValue: false },
    ],
  }));
}

/** Of `show|history PLACE | set PLACE key=value…` the words that are typed as they stand: show, history, set. */
export function knownWords(pattern: string): string[] {
  return pattern
    .replace(/<[^>]*>/g, '')
    .replace(/\[[^|\]]*\]/g, '')
    .split(' | ')
    .flatMap((form) => (form.trim().split(' ')[0] ?? '').replace(/[[\]]/g, '').split('|'))
    .filter((word) => /^[a-z][a-z-]*$/.test(word));
}

/** The shells that are known. */
export const shells = ['bash', 'zsh', 'fish'] as const;

/** A script for a shell that completes commands, words and options. */
export function completionScript(shell: (typeof shells)[number], commands: readonly CommandUsage[]): string {
  const all = choices(commands);
  if (shell === 'bash') return bash(all);
  return shell === 'zsh' ? zsh(all) : fish(all);
}

function bash(all: readonly Choices[]): string {
  const cases = all.map(
    ({ command, words, options }) =>
      `    ${command}) options="${options.map(({ name }) => `--${name}`).join(' ')}" words="${words.join(' ')}" ;;`,
  );
  const valued = new Set(
    all.flatMap(({ options }) => options.filter((o) => o.takesValue).map((o) => o.name)),
  );
  return `# heddle completion bash: source <(heddle completion bash)
_heddle() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" options="" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${all.map(({ command }) => command).join(' ')} help" -- "$current"))
    return
  fi
  case "$previous" in
    ${[...valued].map((name) => `--${name}`).join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$options" -- "$current")) ;;
    *) if [ "$COMP_CWORD" -eq 2 ] && [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$current"))
       else COMPREPLY=($(compgen -f -- "$current")); fi ;;
  esac
}
complete -o filenames -F _heddle heddle
`;
}

/** For a text within single quotes, of a shell in which \`:\` and brackets mean something in descriptions. */
function quoted(text: string): string {
  return text.replaceAll("'", '’').replace(/[[\]:]/g, (found) => `\\${found}`);
}

function zsh(all: readonly Choices[]): string {
  const cases = all.map(({ command, words, options }) => {
    const specs = options.map(
      ({ name, help, takesValue }) => `'--${name}[${quoted(help)}]${takesValue ? ':value:_files' : ''}'`,
    );
    const first = words.length > 0 ? `'1:word:(${words.join(' ')})'` : `'1:file:_files'`;
    return `    ${command}) _arguments ${specs.join(' ')} ${first} '*:file:_files' ;;`;
  });
  return `#compdef heddle
# heddle completion zsh > a file named _heddle in a folder of $fpath
_heddle() {
  if (( CURRENT == 2 )); then
    local -a commands=(${all.map(({ command, summary }) => `'${command}:${quoted(summary)}'`).join(' ')})
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
compdef _heddle heddle
`;
}

function fish(all: readonly Choices[]): string {
  const plain = (text: string): string => text.replaceAll("'", "\\'");
  const lines = all.flatMap(({ command, summary, words, options }) => [
    `complete -c heddle -n __fish_use_subcommand -f -a ${command} -d '${plain(summary)}'`,
    ...words.map((word) => `complete -c heddle -n '__fish_seen_subcommand_from ${command}' -a ${word}`),
    ...options.map(
      ({ name, help, takesValue }) =>
        `complete -c heddle -n '__fish_seen_subcommand_from ${command}' -l ${name}${takesValue ? ' -r' : ''} -d '${plain(help)}'`,
    ),
  ]);
  return `# heddle completion fish > ~/.config/fish/completions/heddle.fish\n${lines.join('\n')}\n`;
}
