import { placeOf, type Problem } from '@heddle/boundaries';
import { HeddleError } from '@heddle/kernel';
import { LineCounter, parseDocument } from 'yaml';

/** A file that is YAML or JSON, and where in it things are. */
export interface ParsedFile {
  readonly path: string;
  readonly text: string;
  readonly value: unknown;
}

/** Everything that is wrong with the inputs, one line each. */
export function inputError(lines: readonly string[]): HeddleError {
  const [only = ''] = lines;
  const message =
    lines.length === 1 ? only : `${lines.length} problems with the input\n  ${lines.join('\n  ')}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BOUNDARIES_INPUT', message, sent: false });
}

/** Parses a file. Throws `BOUNDARIES_INPUT` with the places of all that is no YAML or JSON in it. */
export function parseFile(path: string, text: string): ParsedFile {
  // Traces are long, and JSON.parse is many times as fast; what it refuses is explained by the parser with places.
  if (path.endsWith('.json')) {
    try {
      return { path, text, value: JSON.parse(text) as unknown };
    } catch {
      return parseSlowly(path, text);
    }
  }
  return parseSlowly(path, text);
}

function parseSlowly(path: string, text: string): ParsedFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  if (document.errors.length > 0) {
    throw inputError(
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return `${path}:${line}:${col}: ${error.message.split('\n')[0]}`;
      }),
    );
  }
  return { path, text, value: document.toJS({ maxAliasCount: 100 }) as unknown };
}

/** The problems with their lines and columns: of the nearest thing that is there, where something is missing. */
export function placed(file: ParsedFile, problems: readonly Problem[]): string[] {
  const lines = new LineCounter();
  const document = parseDocument(file.text, { lineCounter: lines, prettyErrors: false });
  return problems.map(({ path, message }) => {
    for (let length = path.length; length >= 0; length--) {
      const node: unknown = document.getIn(path.slice(0, length), true);
      const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
      if (!Array.isArray(range)) continue;
      const { line, col } = lines.linePos(Number(range[0]));
      return `${file.path}:${line}:${col}: ${placeOf(path)}: ${message}`;
    }
    return `${file.path}: ${placeOf(path)}: ${message}`;
  });
}
