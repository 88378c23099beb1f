// Names say what a thing is for; these say nothing.
import ts from 'typescript';
import { isCode, isProduct, type Rule } from './rule.ts';

const catchAll = /^(utils?|common|types?|helpers?|misc)$/;
const emptySuffix = /.(Managers?|Helpers?|Utils?|Base|Impl)$/;
const interfacePrefix = /^I[A-Z][a-z]{2}/;

export const noCatchAll: Rule = {
  name: 'no-catch-all-names',
  why: 'A file named utils, common, types, helpers or misc attracts whatever has no place; name the one thing it holds.',
  applies: isCode,
  whole(file, report) {
    const bad = file.path.split('/').find((part) => catchAll.test(part.split('.')[0] ?? ''));
    if (bad !== undefined) report(0, `the name ${bad}`);
  },
};

export const noEmptySuffix: Rule = {
  name: 'no-empty-suffix',
  why: 'Manager, Helper, Util, Base and Impl say that a name is missing; name the role.',
  applies: isCode,
  visit(node, file, report) {
    if (!ts.isClassDeclaration(node) && !ts.isInterfaceDeclaration(node) && !ts.isTypeAliasDeclaration(node))
      return;
    if (node.name === undefined || !isExported(node)) return;
    if (emptySuffix.test(node.name.text))
      report(node.name.getStart(file.source), `the name ${node.name.text}`);
  },
};

export const noInterfacePrefix: Rule = {
  name: 'no-interface-prefix',
  why: 'Whether a type is an interface is no concern of its users, so its name does not start with I.',
  applies: isCode,
  visit(node, file, report) {
    if (!ts.isInterfaceDeclaration(node) || !interfacePrefix.test(node.name.text)) return;
    report(node.name.getStart(file.source), `the name ${node.name.text}`);
  },
};

export const noDefaultExport: Rule = {
  name: 'no-default-export',
  why: 'A default export has another name in every file that imports it, so it cannot be searched for.',
  // Tools want the default export of their configuration.
  applies: (path) => isCode(path) && !path.endsWith('.config.ts'),
  visit(node, file, report) {
    const isDefault =
      ts.isExportAssignment(node) ||
      (ts.isExportSpecifier(node) && node.name.text === 'default') ||
      (ts.canHaveModifiers(node) && has(node, ts.SyntaxKind.DefaultKeyword));
    if (isDefault) report(node.getStart(file.source), 'export default');
  },
};

export const documentedExports: Rule = {
  name: 'documented-exports',
  why: 'The doc comment is the contract: units, errors, who may call it. Without one the code is the contract.',
  applies: (path) => isProduct(path) && path.startsWith('packages/'),
  visit(node, file, report) {
    if (!ts.isSourceFile(node.parent ?? node) || !isExported(node) || isOverload(node)) return;
    if (ts.getJSDocCommentsAndTags(node).length > 0) return;
    report(node.getStart(file.source), `${nameOf(node)} has no doc comment`);
  },
};

function isExported(node: ts.Node): boolean {
  return ts.canHaveModifiers(node) && has(node, ts.SyntaxKind.ExportKeyword);
}

function has(node: ts.HasModifiers, kind: ts.SyntaxKind): boolean {
  return (ts.getModifiers(node) ?? []).some((modifier) => modifier.kind === kind);
}

/** The second and later signatures of a function, and its body: the first signature carries the comment. */
function isOverload(node: ts.Node): boolean {
  if (!ts.isFunctionDeclaration(node) || !ts.isSourceFile(node.parent)) return false;
  const before = node.parent.statements[node.parent.statements.indexOf(node) - 1];
  return before !== undefined && ts.isFunctionDeclaration(before) && before.name?.text === node.name?.text;
}

function nameOf(node: ts.Node): string {
  if (ts.isVariableStatement(node))
    return node.declarationList.declarations.map((each) => each.name.getText()).join(', ');
  const name = ts.getNameOfDeclaration(node as ts.Declaration);
  return name === undefined ? 'this export' : name.getText();
}
