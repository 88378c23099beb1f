// Tests that wait and tests that do not run prove nothing.
import ts from 'typescript';
import { isCode, isTest, type Rule, type RuleFile } from './rule.ts';

const longestSleepMs = 50;

export const noSleepingTests: Rule = {
  name: 'no-sleeping-tests',
  why: 'A test that sleeps is slow and still races; use the simulated clock, or wait for the event itself.',
  applies: (path) => isCode(path) && isTest(path),
  visit(node, file, report) {
    if (!ts.isCallExpression(node) || !isRealTimer(node.expression, file)) return;
    const slept = node.arguments.find(
      (argument) => ts.isNumericLiteral(argument) && Number(argument.text) >= longestSleepMs,
    );
    if (slept !== undefined)
      report(
        node.getStart(file.source),
        `${node.expression.getText(file.source)} of ${slept.getText(file.source)} ms`,
      );
  },
};

/** The global `setTimeout`, or whatever the file calls that of node:timers and node:timers/promises. */
function isRealTimer(callee: ts.Expression, file: RuleFile): boolean {
  if (ts.isPropertyAccessExpression(callee))
    return /^(globalThis|global)\.setTimeout$/.test(callee.getText(file.source));
  if (!ts.isIdentifier(callee) || file.source === undefined) return false;
  if (timerNames(file.source).has(callee.text)) return true;
  return callee.text === 'setTimeout' && !file.declared.has('setTimeout');
}

function timerNames(source: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  for (const statement of source.statements) {
    if (
      !ts.isImportDeclaration(statement) ||
      !/['"](node:)?timers(\/promises)?['"]/.test(statement.moduleSpecifier.getText(source))
    )
      continue;
    const bindings = statement.importClause?.namedBindings;
    if (bindings === undefined || !ts.isNamedImports(bindings)) continue;
    for (const element of bindings.elements) {
      if ((element.propertyName ?? element.name).text === 'setTimeout') names.add(element.name.text);
    }
  }
  return names;
}

export const noSkippedTests: Rule = {
  name: 'no-skipped-tests',
  why: 'A test is fixed or deleted. Only what cannot be had on a machine is skipped, at run time, with its reason: t.skip(reason).',
  applies: (path) => isCode(path) && isTest(path),
  visit(node, file, report) {
    if (ts.isPropertyAccessExpression(node)) {
      const isMark = /^(skip|only|todo)$/.test(node.name.text) && ts.isIdentifier(node.expression);
      if (isMark && /^(it|test|describe|suite)$/.test(node.expression.getText(file.source))) {
        report(node.getStart(file.source), node.getText(file.source));
      }
    } else if (ts.isPropertyAssignment(node) && isOptionOfTest(node, file)) {
      const isFixed =
        node.initializer.kind === ts.SyntaxKind.TrueKeyword || ts.isStringLiteralLike(node.initializer);
      if (isFixed && /^(skip|only|todo)$/.test(node.name.getText(file.source)))
        report(node.getStart(file.source), node.getText(file.source));
    }
  },
};

function isOptionOfTest(node: ts.PropertyAssignment, file: RuleFile): boolean {
  const call = node.parent.parent;
  return ts.isCallExpression(call) && /^(it|test|describe|suite)$/.test(call.expression.getText(file.source));
}
