/** The values of a path's `{names}`, decoded. */
export type PathValues = Readonly<Record<string, string>>;

/** The values that a path has for a template such as `/orders/{orderId}`; undefined where it does not fit. */
export function pathValues(template: string, path: string): PathValues | undefined {
  const [wanted, given] = [template.split('/'), path.split('/')];
  if (wanted.length !== given.length) return undefined;
  const values: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const found = given[at] ?? '';
    const name = /^\{([^}]+)\}$/.exec(part)?.[1];
    if (name === undefined) {
      if (part !== found) return undefined;
    } else if (found === '') return undefined;
    else values[name] = decoded(found);
  }
  return values;
}

/** A template with its names replaced. A name that has no value stays as it is. */
export function filledPath(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{([^}]+)\}/g, (whole, name: string) => {
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
