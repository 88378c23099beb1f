import { HeddleError } from '@heddle/kernel';
import { type Document, parseDocument, stringify } from 'yaml';
import { readAudience } from '../../version/audience.ts';
import { checkValues, type Values } from '../../version/values.ts';
import type { Gray } from '../../version/version.ts';

/** What a file of the repository says. */
export interface ConfigDocument {
  readonly values: Values;
  readonly gray?: Gray;
}

/** The key that holds a gray release: no key of a value begins so. */
const grayKey = '$gray';

/** Writes it: the values by key, in their order. */
export function documentText({ values, gray }: ConfigDocument): string {
  return stringify({ ...values, ...(gray !== undefined && { [grayKey]: gray }) }, { lineWidth: 0 });
}

/**
 * Reads what `documentText` or a person wrote. Throws `invalid_argument` / `BAD_DOCUMENT` with all that is wrong and its
 * lines; a file of another kind is no reason to believe half of it.
 */
export function readDocument(text: string, where: string): ConfigDocument {
  const document: Document = parseDocument(text, { strict: true, uniqueKeys: true });
  if (document.errors.length > 0)
    throw badDocument(
      where,
      document.errors.map(({ message }) => message.split('\n')[0] ?? ''),
    );
  const json: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  if (typeof json !== 'object' || Array.isArray(json)) throw badDocument(where, ['expected values by key']);
  const { [grayKey]: gray, ...values } = json as Readonly<Record<string, unknown>>;
  try {
    checkValues(values);
    return { values, ...(gray !== undefined && { gray: grayOf(gray) }) };
  } catch (thrown) {
    throw badDocument(where, [HeddleError.from(thrown).message]);
  }
}

function grayOf(json: unknown): Gray {
  const { audience, values } = (typeof json === 'object' && json !== null ? json : {}) as Readonly<
    Record<string, unknown>
  >;
  checkValues(values);
  return { audience: readAudience(audience), values };
}

function badDocument(where: string, problems: readonly string[]): HeddleError {
  const message = `${where}: ${problems.join('; ')}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_DOCUMENT', message, sent: false });
}
