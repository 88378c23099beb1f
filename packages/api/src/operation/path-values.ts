/** The values of a path's `{names}`, decoded. */
export type PathValues = Readonly<Record<string, string>>;

/**
 * The values that a path has for a template such as `/orders/{orderId}` or `/reports/{name}.{format}`; undefined where it
 * does not fit. A name stands for at least one character of one segment.
 */
export function pathValues(template: string, path: string): PathValues | undefined {
  const names: string[] = [];
  const [plain = ''] = template.split(/[?#]/, 1);
  const source = plain.replaceAll(/\{([^}]+)\}|[^{]+|\{/g, (part, name: string | undefined) => {
    if (name === undefined) return part.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&');
    names.push(name);
    return '([^/]+?)';
  });
  const found = new RegExp(`^${source}$`).exec(path);
  if (found === null) return undefined;
  return Object.fromEntries(names.map((name, at) => [name, decoded(found[at + 1] ?? '')]));
}

/** A template with its names replaced. A name that has no value stays as it is. */
export function filledPath(template: string, values: Readonly<Record<string, string>>): string {
  // Some documents tell operations of one path apart by what never leaves a client.
  const [sent = ''] = template.split('#', 1);
  return sent.replaceAll(/\{([^}]+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : encodeURIComponent(value);
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
