// Words that do not belong in a repository, whatever the kind of file.
import ts from 'typescript';
import { isGenerated, type Rule, type RuleFile } from './rule.ts';

// Only at the start of a path: inside a URL or a longer path the words mean something else.
const machinePath = /(?<![\w./:@*-])\/(?:work|root)\//g;
const leftover = /\b(?:TODO|FIXME)\b/g;

const isOurText = (path: string): boolean => !isGenerated(path) && path !== 'package-lock.json';

export const noMachinePaths: Rule = {
  name: 'no-machine-paths',
  why: 'A path of the machine it was written on breaks on every other one.',
  applies: isOurText,
  whole(file, report) {
    for (const match of file.text.matchAll(machinePath)) report(match.index, match[0]);
  },
};

export const noLeftovers: Rule = {
  name: 'no-leftovers',
  why: 'A note to oneself is forgotten in the code; finish it, or write it down where work is planned.',
  applies: isOurText,
  whole(file, report) {
    for (const match of file.text.matchAll(leftover)) {
      if (!isInLiteral(file, match.index)) report(match.index, match[0]);
    }
  },
};

export const portableLockfile: Rule = {
  name: 'portable-lockfile',
  why: 'The lockfile installs from whichever registry a machine uses, so it names none.',
  applies: (path) => path === 'package-lock.json',
  whole(file, report) {
    for (const match of file.text.matchAll(/"resolved": "https?:/g)) report(match.index, 'a registry host');
  },
};

/** Data that contains such a word (the TAP format knows one) is not a note. */
function isInLiteral(file: RuleFile, position: number): boolean {
  const { source } = file;
  if (source === undefined) return false;
  const at = (node: ts.Node): ts.Node =>
    ts.forEachChild(node, (child) =>
      child.getStart(source) <= position && position < child.end ? at(child) : undefined,
    ) ?? node;
  return (
    ts.isLiteralExpression(at(source)) || ts.isTemplateSpan(at(source)) || ts.isTemplateExpression(at(source))
  );
}
