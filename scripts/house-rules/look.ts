// All house rules, and one walk over a file for all of them.
import ts from 'typescript';
import { documentedExports, noCatchAll, noDefaultExport, noEmptySuffix, noInterfacePrefix } from './names.ts';
import { noSignalAny, ports } from './ports.ts';
import type { Finding, Report, Rule, RuleFile } from './rule.ts';
import { fileSize, functionSize } from './sizes.ts';
import { noSkippedTests, noSleepingTests } from './tests.ts';
import { noLeftovers, noMachinePaths, portableLockfile } from './text.ts';

/** In the order of the table in CONTRIBUTING.md. */
export const rules: readonly Rule[] = [
  ports,
  noSignalAny,
  noDefaultExport,
  noCatchAll,
  noEmptySuffix,
  noInterfacePrefix,
  documentedExports,
  fileSize,
  functionSize,
  noSleepingTests,
  noSkippedTests,
  noMachinePaths,
  noLeftovers,
  portableLockfile,
];

/** Applies every rule to one file. `path` is relative to the repository, with forward slashes. */
export function look(path: string, text: string): Finding[] {
  const applied = rules.filter((rule) => rule.applies(path));
  const source = /\.tsx?$/.test(path)
    ? ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
    : undefined;
  const file: RuleFile = {
    path,
    text,
    source,
    declared: source === undefined ? new Set() : declaredNames(source),
  };
  const findings: Finding[] = [];
  const reportOf = (rule: Rule): Report => {
    return (position, what) => findings.push({ rule: rule.name, path, line: lineAt(text, position), what });
  };
  for (const rule of applied) rule.whole?.(file, reportOf(rule));
  const visitors = applied.flatMap(({ visit, ...rule }) =>
    visit === undefined ? [] : [{ visit, report: reportOf(rule) }],
  );
  const walk = (node: ts.Node): void => {
    for (const { visit, report } of visitors) visit(node, file, report);
    ts.forEachChild(node, walk);
  };
  if (source !== undefined && visitors.length > 0) walk(source);
  return findings;
}

/** Every name the file binds anywhere: coarser than scopes, which would need the type checker and its seconds. */
function declaredNames(source: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  const walk = (node: ts.Node): void => {
    const binds = ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node);
    const declares =
      ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node) || ts.isImportSpecifier(node);
    const imports = ts.isImportClause(node) || ts.isNamespaceImport(node);
    if ((binds || declares || imports) && node.name !== undefined && ts.isIdentifier(node.name))
      names.add(node.name.text);
    ts.forEachChild(node, walk);
  };
  walk(source);
  return names;
}

function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}
