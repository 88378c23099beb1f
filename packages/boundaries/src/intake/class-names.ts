/**
 * The class that each name stands for. Tools write one class in several ways: `Outer$Inner` of the byte code is
 * `Outer.Inner` in the source, and `Order[]` is `Order`. What is nested is part of the class around it, for no boundary
 * can run through a class. Only a `$` behind a known class tells that it has nested ones; a dot may end a package.
 */
export function classesOf(names: Iterable<string>): Map<string, string> {
  const all = [...names];
  const spelling = new Map<string, string>();
  for (const name of all) {
    const [bare, key] = [withoutArray(name), keyOf(name)];
    const known = spelling.get(key);
    if (known === undefined || bare < known) spelling.set(key, bare);
  }
  const outer = new Set<string>();
  for (const name of all) {
    const around = prefixes(withoutArray(name), '$').find((prefix) => spelling.has(keyOf(prefix)));
    if (around !== undefined) outer.add(keyOf(around));
  }
  return new Map(
    all.map((name) => {
      const key = keyOf(name);
      const around = prefixes(key, '.').find((prefix) => outer.has(prefix));
      return [name, spelling.get(around ?? key) as string];
    }),
  );
}

function withoutArray(name: string): string {
  return name.replace(/(\[\])+$/, '');
}

/** The same for all spellings of a class. */
function keyOf(name: string): string {
  return withoutArray(name).replaceAll('$', '.');
}

/** What stands before each of the marks, the shortest first. */
function prefixes(name: string, mark: string): string[] {
  const parts = name.split(mark);
  return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join(mark));
}
