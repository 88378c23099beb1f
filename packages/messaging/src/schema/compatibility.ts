/** A schema as the registry keeps it: JSON Schema, of which the keywords below are compared. */
export type SchemaDocument = boolean | { readonly [keyword: string]: unknown };

/**
 * What a new version owes to the ones before. `backward`: who reads the new one can read what was written by the old. `forward`:
 * who still reads the old one can read what is written by the new. `full`: both. `none`: nothing.
 */
export const compatibilities = ['backward', 'forward', 'full', 'none'] as const;
/** One of `compatibilities`. */
export type Compatibility = (typeof compatibilities)[number];

/** All that stands between two versions, in words; empty: none. */
export function incompatibilities(
  before: SchemaDocument,
  after: SchemaDocument,
  compatibility: Compatibility,
): readonly string[] {
  const backward = compatibility === 'backward' || compatibility === 'full';
  const forward = compatibility === 'forward' || compatibility === 'full';
  return [
    ...(backward
      ? obstacles(after, before).map((each) => `what was written before cannot be read: ${each}`)
      : []),
    ...(forward
      ? obstacles(before, after).map((each) => `who reads the version before cannot read it: ${each}`)
      : []),
  ];
}

/**
 * Why a reader with one schema might refuse what was written by another; empty: it cannot. Errs on the side of caution: what
 * cannot be compared stands in the way, unless both say the same.
 */
export function obstacles(reader: SchemaDocument, writer: SchemaDocument, at = '$'): readonly string[] {
  if (reader === true || same(reader, writer)) return [];
  if (reader === false) return [`${at}: the reader takes nothing`];
  if (writer === false) return [];
  const wrote = writer === true ? {} : writer;
  const comparison: Comparison = { reader, writer: wrote, at };
  return [
    ...typeObstacles(comparison),
    ...valueObstacles(comparison),
    ...boundObstacles(comparison),
    ...objectObstacles(comparison),
    ...itemObstacles(comparison),
    ...otherObstacles(comparison),
  ];
}

interface Comparison {
  readonly reader: Readonly<Record<string, unknown>>;
  readonly writer: Readonly<Record<string, unknown>>;
  readonly at: string;
}

const allTypes = ['null', 'boolean', 'object', 'array', 'number', 'string'];

function typeObstacles({ reader, writer, at }: Comparison): readonly string[] {
  if (reader['type'] === undefined) return [];
  const takes = typesOf(reader);
  const gives = typesOf(writer);
  const refused = gives.filter(
    (type) => !takes.includes(type) && !(type === 'integer' && takes.includes('number')),
  );
  return refused.map((type) => `${at}: the reader takes ${takes.join(' or ')}, it may be ${type}`);
}

/** Those that a value can have; of one that says nothing, all. */
function typesOf({ type, ...rest }: Readonly<Record<string, unknown>>): readonly string[] {
  if (type !== undefined) return [type].flat().map(String);
  const values = valuesOf(rest);
  return values === undefined ? allTypes : [...new Set(values.map(typeOf))];
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

/** The values that are listed; undefined: any. */
function valuesOf({
  enum: list,
  const: only,
}: Readonly<Record<string, unknown>>): readonly unknown[] | undefined {
  if (Array.isArray(list)) return list;
  return only === undefined ? undefined : [only];
}

function valueObstacles({ reader, writer, at }: Comparison): readonly string[] {
  const takes = valuesOf(reader);
  if (takes === undefined) return [];
  const gives = valuesOf(writer);
  if (gives === undefined) return [`${at}: the reader takes listed values only, others may be written`];
  return gives
    .filter((value) => !takes.some((each) => same(each, value)))
    .map((value) => `${at}: the reader does not know the value ${JSON.stringify(value)}`);
}

const lowest = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'];
const highest = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'];

function boundObstacles({ reader, writer, at }: Comparison): readonly string[] {
  const wrong = (keyword: string, isWithin: (wrote: number, takes: number) => boolean): readonly string[] => {
    const takes = reader[keyword];
    if (typeof takes !== 'number') return [];
    const wrote = writer[keyword];
    if (typeof wrote === 'number' && isWithin(wrote, takes)) return [];
    return [
      `${at}: the reader takes ${keyword} ${takes}, it was ${typeof wrote === 'number' ? wrote : 'not limited'}`,
    ];
  };
  return [
    ...lowest.flatMap((keyword) => wrong(keyword, (wrote, takes) => wrote >= takes)),
    ...highest.flatMap((keyword) => wrong(keyword, (wrote, takes) => wrote <= takes)),
  ];
}

function objectObstacles({ reader, writer, at }: Comparison): readonly string[] {
  const takes = propertiesOf(reader);
  const gives = propertiesOf(writer);
  const required = namesOf(writer['required']);
  const missing = namesOf(reader['required'])
    .filter((name) => !required.includes(name))
    .map((name) => `${at}.${name}: the reader requires it, it may be missing`);
  const others = schemaOf(reader['additionalProperties']);
  const found = Object.entries(gives).flatMap(([name, schema]) =>
    obstacles(takes[name] ?? others, schema, `${at}.${name}`),
  );
  // What nobody has named may be there all the same. Fields that only the reader names count on writers that have not used
  // their names for something else: otherwise no field could ever be added.
  const open = obstacles(others, schemaOf(writer['additionalProperties']), `${at}.*`);
  return [...missing, ...found, ...open];
}

function itemObstacles({ reader, writer, at }: Comparison): readonly string[] {
  const takes = reader['items'];
  if (takes === undefined) return [];
  return obstacles(schemaOf(takes), schemaOf(writer['items']), `${at}[]`);
}

// Compared above, or without a say in what is valid.
const compared: ReadonlySet<string> = new Set(
  [
    'type enum const properties required additionalProperties items format',
    '$schema $id $comment title description default examples deprecated',
    ...lowest,
    ...highest,
  ].flatMap((words) => words.split(' ')),
);

function otherObstacles({ reader, writer, at }: Comparison): readonly string[] {
  return Object.keys(reader)
    .filter((keyword) => !compared.has(keyword) && !same(reader[keyword], writer[keyword]))
    .map((keyword) => `${at}: ${keyword} has changed, and cannot be compared`);
}

function propertiesOf(schema: Readonly<Record<string, unknown>>): Readonly<Record<string, SchemaDocument>> {
  return (schema['properties'] ?? {}) as Readonly<Record<string, SchemaDocument>>;
}

function namesOf(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.map(String) : [];
}

function schemaOf(value: unknown): SchemaDocument {
  return (value ?? true) as SchemaDocument;
}

function same(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, each]) => [name, sorted(each)]));
}
