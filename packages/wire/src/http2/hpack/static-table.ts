import { HeaderField } from './header-field.ts';

// RFC 7541 appendix A, from index 1.
// biome-ignore format: name and value side by side
const entries: readonly (readonly [name: string, value?: string])[] = [
  [':authority'], [':method', 'GET'], [':method', 'POST'], [':path', '/'], [':path', '/index.html'],
  [':scheme', 'http'], [':scheme', 'https'], [':status', '200'], [':status', '204'], [':status', '206'],
  [':status', '304'], [':status', '400'], [':status', '404'], [':status', '500'], ['accept-charset'],
  ['accept-encoding', 'gzip, deflate'], ['accept-language'], ['accept-ranges'], ['accept'],
  ['access-control-allow-origin'], ['age'], ['allow'], ['authorization'], ['cache-control'],
  ['content-disposition'], ['content-encoding'], ['content-language'], ['content-length'], ['content-location'],
  ['content-range'], ['content-type'], ['cookie'], ['date'], ['etag'], ['expect'], ['expires'], ['from'], ['host'],
  ['if-match'], ['if-modified-since'], ['if-none-match'], ['if-range'], ['if-unmodified-since'],
  ['last-modified'], ['link'], ['location'], ['max-forwards'], ['proxy-authenticate'], ['proxy-authorization'],
  ['range'], ['referer'], ['refresh'], ['retry-after'], ['server'], ['set-cookie'],
  ['strict-transport-security'], ['transfer-encoding'], ['user-agent'], ['vary'], ['via'], ['www-authenticate'],
];

/** The static table. Index 0 does not exist on the wire; its place holds a field that nothing refers to. */
export const staticTable: readonly HeaderField[] = [
  new HeaderField('', ''),
  ...entries.map(([name, value = '']) => new HeaderField(name, value)),
];

/** The lowest index of each name. */
export const staticNameIndex: ReadonlyMap<string, number> = new Map(
  entries.map(([name], at) => [name, at + 1] as const).reverse(),
);

/** Indexes of the entries that have a value, by name and value. */
export const staticFieldIndex: ReadonlyMap<string, ReadonlyMap<string, number>> = fieldIndex();

function fieldIndex(): Map<string, Map<string, number>> {
  const names = new Map<string, Map<string, number>>();
  for (const [at, [name, value]] of entries.entries()) {
    if (value === undefined) continue;
    const values = names.get(name) ?? new Map<string, number>();
    names.set(name, values.set(value, at + 1));
  }
  return names;
}
