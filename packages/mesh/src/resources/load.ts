import { type ReadingCode, readingCatalogue } from './catalogue.ts';
import type { Finding, ObjectName } from './finding.ts';
import { makeFinding } from './findings.ts';
import { labels } from './terms.ts';
import { type Kind, kinds, meshGroups } from './kinds.ts';
import { modernise } from './old-forms.ts';
import type { Metadata, Resource } from './resource.ts';
import { anything, object, openObject, type Path, type Problem, type Shape, text } from './shape.ts';
import { readDocuments, type SourceDocument } from './source.ts';

/** A text with the name that findings give it: a path, or `unsaved.yaml`. */
export interface ResourceFile {
  readonly file: string;
  readonly text: string;
}

/** How texts are read. */
export interface LoadOptions {
  /** The namespace of objects that name none. Default `default`. */
  readonly namespace?: string;
}

/** What was read of some files. */
export interface Loaded {
  readonly resources: readonly Resource[];
  /** What reading alone finds: syntax, schema, old forms. In the order of the files. */
  readonly findings: readonly Finding[];
  /** How many objects are none of the mesh's business: ConfigMaps, Roles and the like. */
  readonly others: number;
}

/** Reads resources from texts. Never throws: whatever is wrong is a finding, and what is right is read. */
export function loadResources(files: readonly ResourceFile[], options: LoadOptions = {}): Loaded {
  const reader = new Reader(options.namespace ?? 'default');
  for (const { file, text: content } of files) {
    for (const document of readDocuments(file, content)) reader.document(document);
  }
  return { resources: reader.resources, findings: reader.findings, others: reader.others };
}

const metadataShape = openObject<Omit<Metadata, 'creationTimestamp'>>({
  name: text(),
  namespace: text(),
  labels,
  annotations: labels,
});

interface Envelope {
  readonly apiVersion: unknown;
  readonly kind: unknown;
  readonly metadata: unknown;
  readonly spec: unknown;
  readonly status: unknown;
}
const envelope = object<Envelope>({
  apiVersion: anything,
  kind: anything,
  metadata: anything,
  spec: anything,
  status: anything,
});

class Reader {
  readonly resources: Resource[] = [];
  readonly findings: Finding[] = [];
  others = 0;
  readonly #namespace: string;
  readonly #seen = new Set<string>();

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  document(source: SourceDocument): void {
    for (const { message, ...position } of source.problems) {
      const place = { file: source.file, at: () => position };
      this.findings.push(makeFinding('SYNTAX', readingCatalogue.SYNTAX, place, [], message));
    }
    this.#value(source.data, source);
  }

  #value(data: unknown, source: SourceDocument): void {
    if (!isPlain(data) || typeof data['apiVersion'] !== 'string' || typeof data['kind'] !== 'string') {
      // An empty document says nothing; a text that cannot be read has been reported.
      if (data === undefined || data === null) return;
      this.#add('NOT_AN_OBJECT', source, [], 'expected an object with apiVersion and kind');
      return;
    }
    if (data['kind'] === 'List' && Array.isArray(data['items'])) {
      for (const [index, item] of data['items'].entries()) {
        this.#value(item, source.below(['items', index]));
      }
      return;
    }
    this.#object(data, data['apiVersion'], data['kind'], source);
  }

  #object(data: Plain, apiVersion: string, name: string, source: SourceDocument): void {
    const [group, version] = apiVersion.includes('/') ? splitAt(apiVersion, '/') : ['', apiVersion];
    const kind = kinds.find((each) => each.kind === name && each.group === group);
    if (kind === undefined) {
      this.#unknownKind(group, name, source);
      return;
    }
    const before = this.findings.length;
    const metadata = this.#metadata(data['metadata'], kind, source);
    const object = { kind: name, namespace: metadata.namespace, name: metadata.name };
    this.#version(kind, version, object, source);
    const spec = this.#spec(data, kind, object, source);
    this.#once(kind, object, source);
    this.resources.push({
      type: kind.type,
      apiVersion,
      kind: name,
      metadata,
      spec,
      file: source.file,
      at: (path: Path) => source.at(path),
      valid:
        source.problems.length === 0 &&
        !this.findings.slice(before).some(({ severity }) => severity === 'error'),
    } as Resource);
  }

  #unknownKind(group: string, name: string, source: SourceDocument): void {
    if (!meshGroups.has(group)) {
      this.others += 1;
      return;
    }
    const code = removed.has(group)
      ? 'REMOVED_KIND'
      : readByIstio.has(name)
        ? 'UNSUPPORTED_KIND'
        : 'UNKNOWN_KIND';
    const wasOnce = name === 'AuthenticationPolicy' ? 'REMOVED_KIND' : code;
    this.#add(wasOnce, source, ['kind'], `${name} of ${group} is not read`);
  }

  #metadata(data: unknown, kind: Kind, source: SourceDocument): Metadata {
    const read =
      this.#read(metadataShape, data ?? {}, ['metadata'], source, undefined) ?? metadataShape.blank;
    const { name = '', labels: own = {}, annotations = {} } = read as Partial<Metadata>;
    const namespace = kind.clusterWide === true ? '' : (read.namespace ?? this.#namespace);
    const created = isPlain(data) ? data['creationTimestamp'] : undefined;
    if (name === '') {
      const object = { kind: kind.kind, namespace, name };
      this.#add('MISSING_FIELD', source, ['metadata'], 'the key "metadata.name" is missing', object);
    }
    return {
      name,
      namespace,
      labels: own,
      annotations,
      ...(typeof created === 'string' && { creationTimestamp: created }),
    };
  }

  #version(kind: Kind, version: string, object: ObjectName, source: SourceDocument): void {
    const [today] = kind.versions;
    if (version === today) return;
    const code = kind.versions.includes(version) ? 'OLD_API_VERSION' : 'UNKNOWN_API_VERSION';
    const group = kind.group === '' ? '' : `${kind.group}/`;
    this.#add(code, source, ['apiVersion'], `${group}${version}: today’s is ${group}${today}`, object);
  }

  #spec(data: Plain, kind: Kind, object: ObjectName, source: SourceDocument): unknown {
    if (meshGroups.has(kind.group)) this.#read(envelope, data, [], source, object);
    const spec = structuredClone(data['spec'] ?? {});
    modernise(kind.type, spec, (code, at, message) => {
      this.#add(code, source, ['spec', ...at], message, object);
    });
    const shape = kind.shape as Shape<unknown>;
    if (kind.isBare === true) return this.#read(shape, data, [], source, object) ?? shape.blank;
    return this.#read(shape, spec, ['spec'], source, object) ?? shape.blank;
  }

  #once(kind: Kind, object: ObjectName, source: SourceDocument): void {
    if (object.name === '') return;
    const key = `${kind.group}/${object.kind}/${object.namespace}/${object.name}`;
    if (this.#seen.has(key)) {
      const message = `there is another ${object.kind} ${object.name} in the namespace ${object.namespace}`;
      this.#add('DUPLICATE_OBJECT', source, ['metadata', 'name'], message, object);
    }
    this.#seen.add(key);
  }

  #read<T>(
    shape: Shape<T>,
    data: unknown,
    root: Path,
    source: SourceDocument,
    object: ObjectName | undefined,
  ): T | undefined {
    return shape.read(data, root, (at, problem) => {
      this.#add(codeOf[problem.is], source, at, describe(problem), object);
    });
  }

  #add(code: ReadingCode, source: SourceDocument, at: Path, message: string, object?: ObjectName): void {
    const place = { file: source.file, at: (path: Path) => source.at(path), ...(object && { object }) };
    this.findings.push(makeFinding(code, readingCatalogue[code], place, at, message));
  }
}

type Plain = Readonly<Record<string, unknown>>;

const codeOf = {
  'unknown-key': 'UNKNOWN_FIELD',
  'missing-key': 'MISSING_FIELD',
  'wrong-value': 'WRONG_VALUE',
} as const;

const removed: ReadonlySet<string> = new Set(['authentication.istio.io', 'rbac.istio.io', 'config.istio.io']);
const readByIstio: ReadonlySet<string> = new Set([
  'EnvoyFilter',
  'ProxyConfig',
  'WorkloadGroup',
  'WasmPlugin',
  'TrafficExtension',
  'GatewayClass',
  'TCPRoute',
  'TLSRoute',
  'UDPRoute',
  'BackendTLSPolicy',
  'ListenerSet',
]);

function describe(problem: Problem): string {
  if (problem.is === 'missing-key') return `the key "${problem.key}" is missing`;
  if (problem.is === 'wrong-value') return `expected ${problem.expected}, found ${shown(problem.found)}`;
  const near = nearest(problem.key, problem.known);
  const hint = near === undefined ? `known keys are ${problem.known.join(', ')}` : `did you mean "${near}"?`;
  return `unknown key "${problem.key}": ${hint}`;
}

function shown(value: unknown): string {
  const written = JSON.stringify(value) ?? 'nothing';
  return written.length > 80 ? `${written.slice(0, 80)}…` : written;
}

/** A known key that differs only in case, in `_` and `-`, or in one letter too many, too few or wrong. */
function nearest(key: string, known: readonly string[]): string | undefined {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[_-]/g, '');
  const wanted = plain(key);
  return known.find((name) => {
    const other = plain(name);
    return other === wanted || differInOneLetter(other, wanted);
  });
}

function differInOneLetter(a: string, b: string): boolean {
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  return Math.max(a.length, b.length) - start - end <= 1;
}

function splitAt(value: string, separator: string): readonly [string, string] {
  const at = value.indexOf(separator);
  return [value.slice(0, at), value.slice(at + 1)];
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
