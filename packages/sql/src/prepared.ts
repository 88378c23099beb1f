const names = new Map<string, string>();

/**
 * Says of a statement that it is used again and again: every connection has the server parse it once, under a name. For
 * texts that are constants of the program and have values, since what is prepared stays with the connection. A pooler
 * that changes connections between statements must know of prepared statements.
 */
export function prepared(text: string): string {
  if (!names.has(text)) names.set(text, `heddle_${names.size}`);
  return text;
}

/** The name of a statement that is prepared; undefined for any other. */
export function statementName(text: string): string | undefined {
  return names.get(text);
}
