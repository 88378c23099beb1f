import { uniqueUses } from '../model/merge.ts';
import type { Checked } from '../model/problem.ts';
import { Reader } from '../model/reader.ts';
import { capabilityOf, type EntityUse, type System, systemOf } from '../model/system.ts';

const methods = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options', 'trace'];
const safe = new Set(['get', 'head', 'options', 'trace']);

interface Found {
  readonly operations: string[];
  readonly uses: EntityUse[];
}

/**
 * The resources of an OpenAPI 3 document (or Swagger 2): one capability for each tag, or for each first segment of a
 * path where there are no tags. The schemas that its operations refer to are its entities, written unless the method
 * is safe.
 */
export function readOpenApi(document: unknown): Checked<System> {
  const reader = new Reader();
  const root = record(document);
  if (root?.['openapi'] === undefined && root?.['swagger'] === undefined) {
    reader.report(['openapi'], 'expected the version of an OpenAPI document; found none');
  }
  const paths = record(root?.['paths']) ?? {};
  const found = new Map<string, Found>();
  for (const [path, item] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(record(item) ?? {})) {
      const own = record(operation);
      if (!methods.includes(method) || own === undefined) continue;
      const tags = Array.isArray(own['tags']) ? own['tags'] : [];
      const name = String(tags[0] ?? resourceOf(path));
      const entry = found.get(name) ?? { operations: [], uses: [] };
      const id = own['operationId'];
      entry.operations.push(typeof id === 'string' ? id : `${method.toUpperCase()} ${path}`);
      const access = safe.has(method) ? 'read' : 'write';
      entry.uses.push(...[...schemasOf(own)].map((entity) => ({ entity, access }) as const));
      found.set(name, entry);
    }
  }
  if (found.size === 0) reader.report(['paths'], 'expected at least one operation; found none');
  if (reader.problems.length > 0) return { ok: false, problems: reader.problems };
  const capabilities = [...found].map(([name, { operations, uses }]) =>
    capabilityOf({ name, operations, entities: uniqueUses(uses) }),
  );
  const title = record(root?.['info'])?.['title'];
  return { ok: true, value: systemOf({ name: typeof title === 'string' ? title : 'system', capabilities }) };
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

/** The first segment that is neither a version nor a parameter. */
function resourceOf(path: string): string {
  return path.split('/').find((part) => part !== '' && !/^(v\d+|api|\{.*\})$/.test(part)) ?? 'root';
}

/** All schemas that something refers to, however deep. */
function schemasOf(value: unknown, found: Set<string> = new Set()): Set<string> {
  for (const [key, each] of Object.entries(record(value) ?? {})) {
    if (key === '$ref' && typeof each === 'string' && /\/(schemas|definitions)\//.test(each)) {
      found.add(each.split('/').at(-1) as string);
    } else schemasOf(each, found);
  }
  return found;
}
