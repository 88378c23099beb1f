/** Where a command writes for people. Made by the process adapter; a test gives its own. */
export interface Terminal {
  /** Standard output. */
  readonly out: (text: string) => void;
  /** Standard error. */
  readonly err: (text: string) => void;
  /** Lines may be rewritten: standard output is a terminal. */
  readonly interactive: boolean;
  /** Colours may be used: a terminal, and `NO_COLOR` is not set (no-color.org). */
  readonly colours: boolean;
  /** Characters in a line. */
  readonly width: number;
}

const colourCodes = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const;

/** The text in a colour, or as it is where colours are not wanted. */
export function paint(terminal: Terminal, colour: keyof typeof colourCodes, text: string): string {
  return terminal.colours ? `\u001b[${colourCodes[colour]}m${text}\u001b[0m` : text;
}
