import { HeddleError } from '@heddle/kernel';

/** One thing that is wrong with a configuration document, and where. */
export interface ConfigProblem {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** Where in the document: `routes[0].path`; empty for the document itself. */
  readonly at: string;
  /** What was expected and what was found. */
  readonly message: string;
  /** The file; left out where there is only one. */
  readonly source?: string;
}

/** `invalid_argument` / `BAD_CONFIG`: one line per problem, each of which is also a detail of type `heddle.ConfigProblem`. */
export function badConfig(source: string, problems: readonly ConfigProblem[]): HeddleError {
  const lines = problems.map(({ line, column, at, message, source: own = source }) => {
    const where = at === '' ? '' : `${at}: `;
    return `${own}:${line}:${column}: ${where}${message}`;
  });
  return new HeddleError({
    code: 'invalid_argument',
    reason: 'BAD_CONFIG',
    message: lines.join('\n'),
    sent: false,
    details: problems.map((value) => ({ type: 'heddle.ConfigProblem', value })),
  });
}
