// A package.json as it is published.

/** What we read of a package.json. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly license?: string;
  readonly files: readonly string[];
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
}

/** Without what only the repository has: the sources behind `@heddle/source`, scripts, and packages for development. */
export function published(manifest: Manifest & { readonly devDependencies?: unknown }): Manifest {
  const { scripts: _scripts, devDependencies: _dev, exports = {}, ...rest } = manifest;
  const built = Object.entries(exports).map(([subpath, conditions]) => {
    if (typeof conditions === 'string') return [subpath, conditions] as const;
    const { '@heddle/source': _source, ...others } = conditions;
    return [subpath, others] as const;
  });
  return { ...rest, exports: Object.fromEntries(built) };
}
