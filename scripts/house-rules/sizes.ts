// Files and functions stay small enough to be read in one go.
import ts from 'typescript';
import { isCode, isTest, type Rule } from './rule.ts';

const maxFileLines = 500;
const maxFunctionLines = 80;

export const fileSize: Rule = {
  name: 'file-size',
  why: `A file over ${maxFileLines} lines holds more than one thing, unless its head comment says “Long because …”.`,
  applies: isCode,
  whole(file, report) {
    const lines = file.text.split('\n').length - (file.text.endsWith('\n') ? 1 : 0);
    if (lines > maxFileLines && !/\blong because\b/i.test(headComment(file.text)))
      report(0, `${lines} lines`);
  },
};

export const functionSize: Rule = {
  name: 'function-size',
  why: `A function over ${maxFunctionLines} lines cannot be held in mind; the parts of it have names.`,
  applies: isCode,
  visit(node, file, report) {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined || file.source === undefined)
      return;
    if (isTest(file.path) && isSuite(node)) return;
    const start = file.source.getLineAndCharacterOfPosition(node.getStart(file.source)).line;
    const end = file.source.getLineAndCharacterOfPosition(node.end).line;
    const lines = end - start + 1;
    if (lines > maxFunctionLines) report(node.getStart(file.source), `a function of ${lines} lines`);
  },
};

function headComment(text: string): string {
  return (ts.getLeadingCommentRanges(text, 0) ?? []).map(({ pos, end }) => text.slice(pos, end)).join('\n');
}

/** The callback of `describe` is a list of tests, not a function in the sense of the rule. */
function isSuite(node: ts.Node): boolean {
  if (!ts.isCallExpression(node.parent)) return false;
  return /^(describe|suite)$/.test(node.parent.expression.getText());
}
