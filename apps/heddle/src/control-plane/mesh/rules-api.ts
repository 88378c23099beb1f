import { HeddleError } from '@heddle/kernel';
import { analyze } from '@heddle/mesh/analyze';
import type { ResourceFile } from '@heddle/mesh/resources';
import type { RulesScope } from './mesh-rules.ts';
import type { RuleSource } from './rule-source.ts';
import { badRules, type RulesPart } from './rules-part.ts';

/** What the rules are changed by. */
export interface RulesApiOptions {
  readonly source: RuleSource;
  readonly part: RulesPart;
  readonly scope: RulesScope;
}

/** The rules as they are stored, in force or not: `{ revision, files }`, each file's text by its name. */
export async function readRules({ source }: RulesApiOptions): Promise<object> {
  const files = await source.read();
  return {
    source: source.name,
    revision: source.revision,
    files: Object.fromEntries(files.map(({ file, text }) => [file, text])),
  };
}

/**
 * Changes files: `{ set, remove, author, comment, expected }`. All of it is analysed first, and refused with every error
 * (`BAD_RULES`); then it is stored, and every control plane of the store serves it.
 */
export async function changeRules(
  { source, part, scope }: RulesApiOptions,
  body: Readonly<Record<string, unknown>>,
): Promise<object> {
  if (source.write === undefined) throw notWritable(source);
  const { set, remove, author, comment, expected } = readChange(body);
  const before = await source.read();
  const { revision } = source;
  if (expected !== undefined && expected !== revision) throw overtaken(expected, revision);
  const files = new Map(before.map((each) => [each.file, each.text]));
  for (const file of remove) files.delete(file);
  for (const [file, text] of Object.entries(set)) files.set(file, text);
  const after: ResourceFile[] = [...files].map(([file, text]) => ({ file, text }));
  const { findings } = analyze(after, { ...scope, partial: true });
  if (findings.some(({ severity }) => severity === 'error')) throw badRules(findings);
  const stored = await source.write(after, { author, comment, expected: revision });
  await part.refresh();
  return { revision: stored, findings };
}

interface RulesChange {
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
  readonly author: string;
  readonly comment: string;
  readonly expected: string | undefined;
}

const fileName = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

function readChange(body: Readonly<Record<string, unknown>>): RulesChange {
  const { set = {}, remove = [], author, comment = '', expected, ...others } = body;
  const problems = Object.keys(others).map(
    (key) => `${key}: no such key, known are set, remove, author, comment, expected`,
  );
  const isTexts = (value: unknown): value is Record<string, string> =>
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((text) => typeof text === 'string');
  const isNames = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((name) => typeof name === 'string');
  if (!isTexts(set)) problems.push('set: expected texts by the names of their files');
  else
    for (const name of Object.keys(set))
      if (!fileName.test(name))
        problems.push(`set: "${name}": expected letters, digits, "_", "-" and dots between`);
  if (!isNames(remove)) problems.push('remove: expected names of files');
  if (typeof author !== 'string' || author === '') problems.push('author: expected who changes it');
  if (typeof comment !== 'string') problems.push('comment: expected text');
  if (expected !== undefined && typeof expected !== 'string') problems.push('expected: expected a revision');
  if (problems.length > 0)
    throw new HeddleError({
      code: 'invalid_argument',
      reason: 'BAD_BODY',
      message: problems.join('; '),
      sent: false,
    });
  return { set, remove, author, comment, expected } as RulesChange;
}

function notWritable({ name }: RuleSource): HeddleError {
  const message = `the rules of this mesh come from ${name}: change them there`;
  return new HeddleError({ code: 'failed_precondition', reason: 'RULES_ELSEWHERE', message, sent: false });
}

function overtaken(expected: string, found: string | undefined): HeddleError {
  const message = `the change was made for revision ${expected}, and it is at ${found} now; look at it again`;
  return new HeddleError({ code: 'aborted', reason: 'VERSION_CONFLICT', message, sent: false });
}
