import { HeddleError } from '@heddle/kernel';

/** A validator as zod, valibot, arktype and others make them: the part of Standard Schema (standardschema.dev) that is used. */
export interface StandardSchema<Output> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    validate(value: unknown): SchemaResult<Output> | Promise<SchemaResult<Output>>;
  };
}

/** What a validator says. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One thing that is wrong, and where. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The value as the schema has it. Rejects with `internal` / `BAD_ANSWER` and all issues: it is the upstream's mistake. */
export async function validated<Output>(
  schema: StandardSchema<Output>,
  value: unknown,
  what: string,
): Promise<Output> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(({ path, message }) => `${pathText(path)}: ${message}`);
  const message = `${what} is not what its schema says: ${issues.join('; ')}`;
  throw new HeddleError({ code: 'internal', reason: 'BAD_ANSWER', message });
}

function pathText(path: SchemaIssue['path']): string {
  if (path === undefined || path.length === 0) return '(all)';
  return path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
}
