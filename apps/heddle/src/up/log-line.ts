/** A program's JSON log line as a sentence; any other line as it is. */
export function readableLine(line: string): string {
  let said: Readonly<Record<string, unknown>>;
  try {
    said = JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return line;
  }
  const { message, error, problems } = said ?? {};
  if (typeof message !== 'string') return line;
  const why = reasonOf(error ?? problems);
  return why === undefined ? message : `${message}: ${why}`;
}

function reasonOf(given: unknown): string | undefined {
  if (typeof given === 'string') return given;
  // An error that nobody foresaw is logged with its stack: whoever reports it needs that.
  if (typeof given !== 'object' || given === null) return undefined;
  const { stack, message } = given as Readonly<Record<string, unknown>>;
  if (typeof stack === 'string') return stack;
  return typeof message === 'string' ? message : undefined;
}
