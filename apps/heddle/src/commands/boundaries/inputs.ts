import {
  type Capability,
  type Checked,
  gitLogFormat,
  mergeSystems,
  placeOf,
  type Problem,
  readGitHistory,
  readOpenApi,
  readOtlp,
  readProtobuf,
  readRelationTables,
  readServiceCutter,
  readSql,
  readSystem,
  type System,
  systemOfTraces,
  tableKindOf,
} from '@heddle/boundaries';
import { HeddleError } from '@heddle/kernel';
import { filesUnder, gitLog } from '../../node/boundaries-files.ts';
import { readTextFile } from '../../node/config-file.ts';
import { inputError, type ParsedFile, parseFile, placed } from './document.ts';

/** What the user has pointed at. */
export interface InputOptions {
  readonly paths: readonly string[];
  /** A repository whose history counts. */
  readonly git: string | undefined;
  /** The system that runs, if it was asked about. */
  readonly running: System | undefined;
}

/** What a file is, by its content. */
type Kind = 'capabilities' | 'openapi' | 'traces' | 'service-cutter-model' | 'service-cutter-users';

const extensions = ['.yaml', '.yml', '.json', '.jsonl', '.ndjson', '.sql', '.proto', '.csv'];

/**
 * One system from all files, folders and histories that were named. Throws `BOUNDARIES_INPUT` with all problems of all
 * inputs, each with its file, line and column.
 */
export function readInputs({ paths, git, running }: InputOptions): System {
  const named = new Set(paths);
  const files = paths.flatMap((path) => filesUnder(path, extensions));
  const wrong: string[] = [];
  const systems: System[] = running === undefined ? [] : [running];
  const take = (checked: Checked<System>, say: (problems: readonly Problem[]) => string[]): void => {
    if (checked.ok) systems.push(checked.value);
    else wrong.push(...say(checked.problems));
  };
  const plain = (what: string) => (problems: readonly Problem[]) =>
    problems.map(
      ({ path, message }) => `${what}: ${path.length === 0 ? '' : `${placeOf(path)}: `}${message}`,
    );
  const parsed = parsedFiles(files, named, wrong);
  for (const file of parsed.get('capabilities') ?? [])
    take(readSystem(file.value), (all) => placed(file, all));
  takeServiceCutter(parsed, take);
  for (const file of parsed.get('openapi') ?? []) take(readOpenApi(file.value), (all) => placed(file, all));
  const traces = parsed.get('traces') ?? [];
  if (traces.length > 0) {
    const spans = readOtlp(traces.flatMap(({ value }) => value));
    take(spans.ok ? { ok: true, value: systemOfTraces(spans.value) } : spans, plain('traces'));
  }
  const texts = (extension: string): Texts =>
    files
      .filter((path) => path.endsWith(extension))
      .map((path) => ({ path, text: readTextFile(path, 'input') }));
  const [sql, proto, csv] = [texts('.sql'), texts('.proto'), texts('.csv')];
  if (sql.length > 0) take(readSql(sql), plain('SQL'));
  if (proto.length > 0) take(readProtobuf(proto), plain('protobuf'));
  const tables = relationTables(csv, named, wrong);
  if (tables.length > 0) take(readRelationTables(tables), relationProblems(tables));
  if (git !== undefined)
    take(readGitHistory(gitLog(git, gitLogFormat), gitOptions(systems)), plain(`git history of ${git}`));
  if (wrong.length === 0 && systems.length === 0) wrong.push(nothingFound(paths));
  if (wrong.length > 0) throw inputError(wrong);
  const merged = mergeSystems(systems);
  if (!merged.ok) throw inputError(plain('all inputs together')(merged.problems));
  return merged.value;
}

type Texts = { path: string; text: string }[];

function nothingFound(paths: readonly string[]): string {
  return `no input was found in ${paths.join(', ')}; expected capability documents, Service Cutter's files, OTLP JSON, OpenAPI, .sql, .proto, relation tables (.csv), --git or --running`;
}

/** The YAML and JSON files by kind. What is none of ours is passed over in a folder, and wrong if it was named. */
function parsedFiles(
  files: readonly string[],
  named: ReadonlySet<string>,
  wrong: string[],
): Map<Kind, ParsedFile[]> {
  const found = new Map<Kind, ParsedFile[]>();
  for (const path of files) {
    if (!/\.(ya?ml|json|jsonl|ndjson)$/.test(path)) {
      if (!extensions.some((extension) => path.endsWith(extension)))
        wrong.push(`${path}: unknown kind of file`);
      continue;
    }
    try {
      const file = parseAny(path);
      const kind = kindOf(file.value);
      if (kind !== undefined) found.set(kind, [...(found.get(kind) ?? []), file]);
      else if (named.has(path)) wrong.push(`${path}: ${notOurs(file.value)}`);
    } catch (thrown) {
      if (named.has(path)) wrong.push(HeddleError.from(thrown).message);
    }
  }
  return found;
}

/** Lines of JSON are a list of documents, as the OpenTelemetry Collector writes them. */
function parseAny(path: string): ParsedFile {
  const text = readTextFile(path, 'input');
  if (!/\.(jsonl|ndjson)$/.test(path)) return parseFile(path, text);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const value = lines.map((line, at): unknown => {
    try {
      return JSON.parse(line);
    } catch (thrown) {
      throw inputError([`${path}:${at + 1}: ${thrown instanceof Error ? thrown.message : String(thrown)}`]);
    }
  });
  return { path, text, value };
}

const userKeys = [
  'compatibilities',
  'aggregates',
  'securityAccessGroups',
  'separatedSecurityZones',
  'predefinedServices',
];

function kindOf(value: unknown): Kind | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof first !== 'object' || first === null) return undefined;
  const has = (key: string): boolean => key in first;
  if (has('resourceSpans')) return 'traces';
  if (Array.isArray(value)) return undefined;
  if (has('openapi') || has('swagger')) return 'openapi';
  if (has('capabilities')) return 'capabilities';
  if (has('entities')) return 'service-cutter-model';
  if (userKeys.some(has) || (has('useCases') && JSON.stringify(first).includes('nanoentities'))) {
    return 'service-cutter-users';
  }
  return undefined;
}

function notOurs(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'format' in value) {
    return 'this is a report; give it to "compare" or as --plan, not to be analysed';
  }
  return 'expected "capabilities", or a file of Service Cutter, OTLP or OpenAPI; found none of them';
}

type Take = (checked: Checked<System>, say: (problems: readonly Problem[]) => string[]) => void;

function takeServiceCutter(parsed: ReadonlyMap<Kind, readonly ParsedFile[]>, take: Take): void {
  const models = parsed.get('service-cutter-model') ?? [];
  const users = parsed.get('service-cutter-users') ?? [];
  const [model, ...more] = models;
  const one = 'expected one model and its user representations; found ';
  if (model === undefined) {
    if (users.length > 0) take(wrongly(`${one}representations without a model`), messages);
    return;
  }
  if (more.length > 0 || users.length > 1) {
    take(wrongly(`${one}${models.length} models and ${users.length} representations`), messages);
    return;
  }
  const [own] = users;
  take(readServiceCutter(model.value, own?.value), (problems) => {
    // A place is of the file whose keys it names.
    const inUsers = ({ path }: Problem): boolean =>
      own !== undefined &&
      typeof own.value === 'object' &&
      own.value !== null &&
      String(path[0]) in own.value &&
      path[0] !== 'entities';
    return [
      ...placed(
        model,
        problems.filter((problem) => !inUsers(problem)),
      ),
      ...(own === undefined ? [] : placed(own, problems.filter(inUsers))),
    ];
  });
}

function wrongly(message: string): Checked<System> {
  return { ok: false, problems: [{ path: [], message }] };
}

function messages(problems: readonly Problem[]): string[] {
  return problems.map(({ message }) => message);
}

type NamedTable = {
  readonly path: string;
  readonly text: string;
  readonly kind: 'calls' | 'names' | 'terms';
};

function relationTables(csv: Texts, named: ReadonlySet<string>, wrong: string[]): NamedTable[] {
  return csv.flatMap(({ path, text }) => {
    const kind = tableKindOf(text);
    if (kind !== undefined) return [{ path, text, kind }];
    const columns = 'ReferenceCount, ClassNameRel or ClassTermRel';
    if (named.has(path)) wrong.push(`${path}: expected a table whose last column is ${columns}`);
    return [];
  });
}

function relationProblems(tables: readonly NamedTable[]): (problems: readonly Problem[]) => string[] {
  return (problems) =>
    problems.map(({ path: [table, line], message }) => `${tables[Number(table)]?.path}:${line}: ${message}`);
}

/** Where capabilities say which files are theirs, their changes count; otherwise those of folders. */
function gitOptions(systems: readonly System[]): { capabilities?: readonly Capability[] } {
  const placed = systems.flatMap(({ capabilities }) => capabilities.filter(({ paths }) => paths.length > 0));
  return placed.length > 0 ? { capabilities: placed } : {};
}
