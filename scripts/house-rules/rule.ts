// What a house rule is. A rule looks at single nodes of the syntax tree, at the whole file, or at both.
import type ts from 'typescript';

/** A file of the repository. `source` is its syntax tree; other files than TypeScript have none. */
export interface RuleFile {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly source: ts.SourceFile | undefined;
  /** Names that the file declares or imports itself, so that they do not mean the global of that name. */
  readonly declared: ReadonlySet<string>;
}

/** Tells what is wrong at a position (an offset in the file's text). */
export type Report = (position: number, what: string) => void;

/** A rule with the sentence that justifies it; CONTRIBUTING.md lists both. */
export interface Rule {
  readonly name: string;
  readonly why: string;
  readonly applies: (path: string) => boolean;
  readonly visit?: (node: ts.Node, file: RuleFile, report: Report) => void;
  readonly whole?: (file: RuleFile, report: Report) => void;
}

/** A broken rule; `line` counts from 1. */
export interface Finding {
  readonly rule: string;
  readonly path: string;
  readonly line: number;
  readonly what: string;
}

const product = /^(packages|apps|examples)\//;
const code = /^(packages|apps|examples|bench|scripts)\//;

/** Hand-written TypeScript anywhere in the repository. */
export function isCode(path: string): boolean {
  return code.test(path) && /\.tsx?$/.test(path) && !isGenerated(path);
}

/** Hand-written TypeScript that users run. */
export function isProduct(path: string): boolean {
  return product.test(path) && isCode(path) && !isTest(path);
}

/** Files that are code of tests only. */
export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path);
}

/** Output of generators: nobody edits it, so no rule of style applies. */
export function isGenerated(path: string): boolean {
  return path.includes('/gen/');
}
