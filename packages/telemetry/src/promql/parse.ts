import { HeddleError } from '@heddle/kernel';
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import type { At, Expression, Matching, PromType, VectorSelector } from './ast.ts';
import { aggregations, signatures } from './signatures.ts';
import { nameLabel } from './labels.ts';
import { wholePattern } from './go-pattern.ts';
import type { Matcher } from './source.ts';
import { durationMs, numberOf, textOf } from './literals.ts';

const longestQuery = 65_536;
const deepest = 100;

/**
 * Reads and checks an expression, on the grammar that Prometheus' own user interface has. Throws `invalid_argument` /
 * `BAD_PROMQL` with what is wrong and where.
 */
export function parsePromQl(text: string): Expression {
  if (text.length > longestQuery) throw bad(0, `at most ${longestQuery} characters`, `${text.length}`);
  const top = parser.parse(withoutBareDots(text)).topNode;
  const cursor = top.cursor();
  do if (cursor.type.isError) throw bad(cursor.from, 'an expression of PromQL', found(text, cursor.from));
  while (cursor.next());
  const node = top.firstChild;
  if (node === null) throw bad(0, 'an expression of PromQL', 'nothing');
  return new Reader(text).expression(node, 0);
}

/** `2.` is a number for Prometheus and none for the grammar: the dot becomes a blank, so that places stay right. */
function withoutBareDots(text: string): string {
  return text.replaceAll(
    /("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)|(?<![\w.:])(\d+)\.(?![\w.])/g,
    (whole, quoted, digits) => (quoted === undefined ? `${digits} ` : whole),
  );
}

function found(text: string, at: number): string {
  return at >= text.length ? 'the end' : JSON.stringify(text.slice(at, at + 20));
}

function bad(at: number, expected: string, got: string): HeddleError {
  const message = `at character ${at + 1}: expected ${expected}, found ${got}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_PROMQL', message, sent: false });
}

const setOperators = new Set(['and', 'or', 'unless']);
const comparisons = new Set(['==', '!=', '<', '>', '<=', '>=']);

class Reader {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  #of(node: SyntaxNode): string {
    return this.#text.slice(node.from, node.to);
  }

  expression(node: SyntaxNode, depth: number): Expression {
    if (depth > deepest) throw bad(node.from, `at most ${deepest} levels`, 'more');
    const { from } = node;
    const below = (child: SyntaxNode | null): Expression => {
      if (child === null) throw bad(node.to, 'an expression', 'nothing');
      return this.expression(child, depth + 1);
    };
    switch (node.name) {
      case 'NumberDurationLiteral':
        return { kind: 'number', type: 'scalar', from, value: numberOf(this.#of(node)) };
      case 'StringLiteral':
        return { kind: 'string', type: 'string', from, value: textOf(this.#of(node)) };
      case 'ParenExpr': {
        const inner = below(node.firstChild);
        return { kind: 'paren', type: inner.type, from, inner };
      }
      case 'UnaryExpr': {
        const inner = below(node.lastChild);
        this.#expect(inner, ['scalar', 'vector'], 'of a sign');
        if (this.#of(node).startsWith('+')) return inner;
        return { kind: 'negate', type: inner.type, from, inner };
      }
      case 'VectorSelector':
        return this.#selector(node);
      case 'MatrixSelector':
        return this.#range(node, below);
      case 'SubqueryExpr':
        return this.#subquery(node, below);
      case 'OffsetExpr':
        return this.#offset(node, below);
      case 'StepInvariantExpr':
        return this.#at(node, below);
      case 'BinaryExpr':
        return this.#binary(node, below);
      case 'FunctionCall':
        return this.#call(node, below);
      case 'AggregateExpr':
        return this.#aggregate(node, below);
      default:
        throw bad(from, 'an expression that is supported here', JSON.stringify(this.#of(node).slice(0, 40)));
    }
  }

  #expect(expression: Expression, types: readonly PromType[], where: string): void {
    if (types.includes(expression.type)) return;
    throw bad(expression.from, `a ${types.join(' or a ')} as part ${where}`, `a ${expression.type}`);
  }

  #selector(node: SyntaxNode): VectorSelector {
    const matchers: Matcher[] = [];
    const name = node.getChild('Identifier');
    if (name !== null) matchers.push(matcher(nameLabel, '=', this.#of(name)));
    for (const each of node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [])
      matchers.push(this.#matcher(each, this.#of(child(each, 'LabelName'))));
    for (const each of node.getChild('LabelMatchers')?.getChildren('QuotedLabelMatcher') ?? [])
      matchers.push(this.#matcher(each, textOf(this.#of(child(each, 'QuotedLabelName')))));
    for (const each of node.getChild('LabelMatchers')?.getChildren('QuotedLabelName') ?? [])
      matchers.push(matcher(nameLabel, '=', textOf(this.#of(each))));
    if (name !== null && matchers.slice(1).some((each) => each.name === nameLabel && each.kind === '='))
      throw bad(node.from, 'one name of the metric', 'two');
    // What matches series without any of the labels matches everything there is.
    if (matchers.every((each) => each.matches('')))
      throw bad(node.from, 'a matcher that does not match the empty text', JSON.stringify(this.#of(node)));
    return { kind: 'selector', type: 'vector', from: node.from, matchers, offsetMs: 0, at: undefined };
  }

  #matcher(node: SyntaxNode, name: string): Matcher {
    const operator = this.#of(child(node, 'MatchOp')) as Matcher['kind'];
    const text = node.getChildren('StringLiteral').at(-1);
    if (text === undefined) throw bad(node.to, 'a text', 'nothing');
    try {
      return matcher(name, operator, textOf(this.#of(text)));
    } catch {
      throw bad(text.from, 'a pattern (RE2)', this.#of(text));
    }
  }

  #range(node: SyntaxNode, below: (child: SyntaxNode | null) => Expression): Expression {
    const selector = below(node.firstChild);
    if (selector.kind !== 'selector') throw bad(node.from, 'a selector before a range', `a ${selector.kind}`);
    const rangeMs = this.#duration(child(node, 'DurationExpr'));
    if (rangeMs <= 0) throw bad(node.from, 'a range of more than 0', this.#of(node));
    return { kind: 'range', type: 'matrix', from: node.from, selector, rangeMs };
  }

  #subquery(node: SyntaxNode, below: (child: SyntaxNode | null) => Expression): Expression {
    const inner = below(node.firstChild);
    this.#expect(inner, ['scalar', 'vector'], 'of a subquery');
    const [range, step] = node.getChildren('DurationExpr');
    if (range === undefined) throw bad(node.to, 'a range', 'none');
    const rangeMs = this.#duration(range);
    const stepMs = step === undefined ? undefined : this.#duration(step);
    const { from } = node;
    return { kind: 'subquery', type: 'matrix', from, inner, rangeMs, stepMs, offsetMs: 0, at: undefined };
  }

  #duration(node: SyntaxNode): number {
    const ms = durationMs(this.#of(node).replaceAll(/\s/g, ''));
    if (ms === undefined) throw bad(node.from, 'a duration such as 5m', JSON.stringify(this.#of(node)));
    return ms;
  }

  #offset(node: SyntaxNode, below: (child: SyntaxNode | null) => Expression): Expression {
    const inner = below(node.firstChild);
    const offsetMs = this.#duration(child(node, 'OffsetDurationExpr'));
    return this.#modified(inner, { offsetMs }, node, 'offset');
  }

  #at(node: SyntaxNode, below: (child: SyntaxNode | null) => Expression): Expression {
    const inner = below(node.firstChild);
    const word = node.getChild('AtModifierPreprocessors');
    let at: At;
    if (word !== null) at = this.#of(word).startsWith('start') ? 'start' : 'end';
    else at = numberOf(this.#text.slice(child(node, 'At').to, node.to).trim()) * 1000;
    if (typeof at === 'number' && !Number.isFinite(at))
      throw bad(node.from, 'a time after @', this.#of(node));
    if (typeof at === 'number') at = Math.trunc(at);
    return this.#modified(inner, { at }, node, '@');
  }

  /** A modifier belongs to the selector right before it; the grammar puts it around all that stands on its left. */
  #modified(
    inner: Expression,
    change: { readonly at: At } | { readonly offsetMs: number },
    node: SyntaxNode,
    name: string,
  ): Expression {
    if (inner.kind === 'range') return { ...inner, selector: { ...inner.selector, ...change } };
    if (inner.kind === 'selector' || inner.kind === 'subquery') return { ...inner, ...change };
    if (inner.kind === 'negate') return { ...inner, inner: this.#modified(inner.inner, change, node, name) };
    if (inner.kind === 'binary') return { ...inner, right: this.#modified(inner.right, change, node, name) };
    throw bad(node.from, `a selector or a subquery before ${name}`, `a ${inner.kind}`);
  }

  #binary(node: SyntaxNode, below: (child: SyntaxNode | null) => Expression): Expression {
    const left = below(node.firstChild);
    const right = below(node.lastChild);
    const sign = node.firstChild?.nextSibling;
    if (sign === null || sign === undefined) throw bad(node.from, 'an operator', 'none');
    const operator = this.#of(sign).toLowerCase();
    const bool = node.getChild('BoolModifier') !== null;
    this.#expect(left, ['scalar', 'vector'], `of ${operator}`);
    this.#expect(right, ['scalar', 'vector'], `of ${operator}`);
    const bothScalars = left.type === 'scalar' && right.type === 'scalar';
    if (setOperators.has(operator) && (left.type === 'scalar' || right.type === 'scalar'))
      throw bad(node.from, `vectors on both sides of ${operator}`, 'a scalar');
    if (comparisons.has(operator) && bothScalars && !bool)
      throw bad(node.from, 'bool after a comparison of scalars', operator);
    if (bool && !comparisons.has(operator)) throw bad(node.from, 'a comparison before bool', operator);
    const type = bothScalars ? 'scalar' : 'vector';
    const matching = this.#matching(node, setOperators.has(operator));
    const made: Expression = { kind: 'binary', type, from: node.from, operator, bool, left, right, matching };
    return operator === '^' ? signOutside(made) : made;
  }

  #matching(node: SyntaxNode, isSet: boolean): Matching {
    const clause = node.getChild('MatchingModifierClause');
    const card = isSet ? 'many-to-many' : 'one-to-one';
    if (clause === null) return { on: false, labels: [], card, include: [] };
    const lists = clause.getChildren('GroupingLabels');
    const group = clause.getChild('GroupLeft') ?? clause.getChild('GroupRight');
    const labels = lists[0] === undefined ? [] : this.#labels(lists[0]);
    const on = clause.getChild('On') !== null;
    if (group === null) return { on, labels, card, include: [] };
    if (isSet) throw bad(group.from, 'no grouping with set operators', this.#of(group));
    const include = lists[1] === undefined ? [] : this.#labels(lists[1]);
    return { on, labels, card: group.name === 'GroupLeft' ? 'many-to-one' : 'one-to-many', include };
  }

  #labels(node: SyntaxNode): readonly string[] {
    const names: string[] = [];
    for (let each = node.firstChild; each !== null; each = each.nextSibling) {
      const text = this.#of(each);
      names.push(/^["'`]/.test(text) ? textOf(text) : text);
    }
    return names;
  }

  #arguments(body: SyntaxNode | null, below: (child: SyntaxNode | null) => Expression): Expression[] {
    const args: Expression[] = [];
    for (let each = body?.firstChild ?? null; each !== null; each = each.nextSibling) args.push(below(each));
    return args;
  }

  #call(node: SyntaxNode, below: (child: SyntaxNode | null) => Expression): Expression {
    const name = this.#of(child(node, 'FunctionIdentifier')).toLowerCase();
    const args = this.#arguments(node.getChild('FunctionCallBody'), below);
    const signature = signatures.get(name);
    if (signature === undefined) throw bad(node.from, 'a function that is supported here', name);
    const most = signature.repeated ? Number.POSITIVE_INFINITY : signature.args.length;
    const least = signature.args.length - signature.optional;
    if (args.length < least || args.length > most)
      throw bad(
        node.from,
        `${least} arguments${most === least ? '' : ' or more'} of ${name}`,
        `${args.length}`,
      );
    args.forEach((arg, at) => {
      const type = signature.args[Math.min(at, signature.args.length - 1)] as PromType;
      this.#expect(arg, [type], `of ${name}`);
    });
    return { kind: 'call', type: signature.result, from: node.from, name, args };
  }

  #aggregate(node: SyntaxNode, below: (child: SyntaxNode | null) => Expression): Expression {
    const operator = this.#of(child(node, 'AggregateOp')).toLowerCase();
    const modifier = node.getChild('AggregateModifier');
    const args = this.#arguments(node.getChild('FunctionCallBody'), below);
    if (!aggregations.has(operator)) throw bad(node.from, 'an aggregation that is supported here', operator);
    const wanted = aggregations.get(operator);
    const inner = args.at(-1);
    const parameter = wanted === undefined ? undefined : args[0];
    if (inner === undefined || args.length !== (wanted === undefined ? 1 : 2))
      throw bad(node.from, `${wanted === undefined ? 1 : 2} arguments of ${operator}`, `${args.length}`);
    this.#expect(inner, ['vector'], `of ${operator}`);
    if (parameter !== undefined && wanted !== undefined) this.#expect(parameter, [wanted], `of ${operator}`);
    const list = modifier?.getChild('GroupingLabels');
    const labels = list === null || list === undefined ? [] : this.#labels(list);
    const without = modifier !== null && modifier.getChild('Without') !== null;
    return {
      kind: 'aggregate',
      type: 'vector',
      from: node.from,
      operator,
      without,
      labels,
      parameter,
      inner,
    };
  }
}

/** `-1 ^ 2` is `-(1 ^ 2)`; the grammar takes the sign for a part of the number. */
function signOutside(made: Expression): Expression {
  if (made.kind !== 'binary' || made.left.kind !== 'number') return made;
  const { left, from } = made;
  if (!Object.is(Math.sign(left.value), -1) && !Object.is(left.value, -0)) return made;
  const inner: Expression = { ...made, left: { ...left, value: -left.value } };
  return { kind: 'negate', type: inner.type, from, inner };
}

function child(node: SyntaxNode, name: string): SyntaxNode {
  const found = node.getChild(name);
  if (found === null) throw bad(node.from, name, 'nothing');
  return found;
}

/** A condition on a label. Throws for a pattern that cannot be read. */
export function matcher(name: string, kind: Matcher['kind'], value: string): Matcher {
  if (kind === '=') return { name, kind, value, matches: (given) => given === value };
  if (kind === '!=') return { name, kind, value, matches: (given) => given !== value };
  const pattern = wholePattern(value);
  const is = kind === '=~';
  return { name, kind, value, matches: (given) => pattern.test(given) === is };
}
