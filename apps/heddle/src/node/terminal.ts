import type { Terminal } from '../terminal/terminal.ts';

/** This process's standard streams. */
export function nodeTerminal(): Terminal {
  const interactive = process.stdout.isTTY === true && process.env['TERM'] !== 'dumb';
  const noColour = process.env['NO_COLOR'];
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    interactive,
    colours: interactive && (noColour === undefined || noColour === ''),
    width: process.stdout.columns ?? 80,
  };
}
