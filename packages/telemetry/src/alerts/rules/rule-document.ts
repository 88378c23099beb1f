import { HeddleError } from '@heddle/kernel';
import { parsePromQl } from '../../promql/parse.ts';
import { durationAt } from '../document/duration.ts';
import { type Place, YamlText } from '../document/place.ts';
import type { Rule, RuleGroup } from './rule.ts';
import { type Template, template } from './template.ts';

const labelName = /^[A-Za-z_][A-Za-z0-9_]*$/;
const metricName = /^[A-Za-z_:][A-Za-z0-9_:]*$/;

/** How often rules are evaluated where their document does not say. */
export const usualEveryMs = 15_000;

/**
 * Reads a document of rules as Prometheus has it (`groups: …`). `file`: its name, for messages. Throws `invalid_argument`
 * / `BAD_RULES` with everything that is wrong in it, by line and column: unknown keys, expressions and templates too.
 */
export function readRules(file: string, text: string): readonly RuleGroup[] {
  const document = new YamlText(file, text);
  const { root } = document;
  const groups: RuleGroup[] = [];
  if (root.keys(['groups'])) {
    const seen = new Set<string>();
    for (const place of root.key('groups').items()) {
      const group = readGroup(file, place);
      if (seen.has(group.name)) place.key('name').problem(`a second group ${JSON.stringify(group.name)}`);
      seen.add(group.name);
      groups.push(group);
    }
  }
  document.check('BAD_RULES');
  return groups;
}

function readGroup(file: string, place: Place): RuleGroup {
  place.keys(['name', 'interval', 'limit', 'query_offset', 'labels', 'rules']);
  const everyMs = durationAt(place.key('interval'), usualEveryMs);
  if (everyMs <= 0) place.key('interval').expected('a duration of more than 0');
  const shared = place.key('labels').entries();
  const rules = place.key('rules').items();
  return {
    file,
    name: place.key('name').requiredText(),
    everyMs,
    limit: place.key('limit').whole(0),
    offsetMs: durationAt(place.key('query_offset'), 0),
    rules: rules.map((each) => readRule(each, shared)).filter((each) => each !== undefined),
  };
}

type Entries = ReturnType<Place['entries']>;

function readRule(place: Place, shared: Entries): Rule | undefined {
  const isAlert = place.key('alert').exists;
  if (isAlert === place.key('record').exists)
    return place.problem('expected either "alert" or "record" in a rule');
  const common = ['expr', 'labels'];
  const ofAlerts = ['alert', 'for', 'keep_firing_for', 'annotations'];
  place.keys(isAlert ? [...ofAlerts, ...common] : ['record', ...common]);
  const query = place.key('expr').requiredText().trim();
  const expression = expressionAt(place.key('expr'), query);
  const named = place.key(isAlert ? 'alert' : 'record');
  const name = named.requiredText();
  const own = place.key('labels').entries();
  const labels = [...shared.filter(([each]) => !own.some(([other]) => other === each)), ...own];
  for (const [label, at] of labels) checkLabel(label, at, isAlert ? 'alertname' : '__name__');
  if (!isAlert) {
    if (!metricName.test(name)) named.expected('the name of a metric');
    if (expression === undefined) return undefined;
    const texts = labels.map(([label, at]) => [label, at.requiredText()] as const);
    return { kind: 'record', name, query, expression, labels: Object.fromEntries(texts) };
  }
  const annotations = place.key('annotations').entries();
  for (const [annotation, at] of annotations)
    if (!labelName.test(annotation)) at.problem(`${JSON.stringify(annotation)} is no name of an annotation`);
  const forMs = durationAt(place.key('for'), 0);
  const keepFiringMs = durationAt(place.key('keep_firing_for'), 0);
  const templates = [templatesOf(labels), templatesOf(annotations)] as const;
  if (expression === undefined) return undefined;
  const [labelTemplates, annotationTemplates] = templates;
  return {
    kind: 'alert',
    name,
    query,
    expression,
    forMs,
    keepFiringMs,
    labels: labelTemplates,
    annotations: annotationTemplates,
  };
}

function expressionAt(place: Place, query: string): ReturnType<typeof parsePromQl> | undefined {
  if (query === '') return undefined;
  return guarded(place, () => {
    const expression = parsePromQl(query);
    if (expression.type === 'scalar' || expression.type === 'vector') return expression;
    return place.problem(
      `expected an expression that gives a vector or a scalar, found a ${expression.type}`,
    );
  });
}

function checkLabel(label: string, at: Place, reserved: string): void {
  if (!labelName.test(label) || label === '__name__' || label === reserved)
    at.problem(`${JSON.stringify(label)} cannot be set as a label here`);
}

function templatesOf(entries: Entries): Readonly<Record<string, Template>> {
  const read = entries.map(([name, at]) => {
    const text = at.requiredText();
    return [name, guarded(at, () => template(text)) ?? template('')] as const;
  });
  return Object.fromEntries(read);
}

/** What is thrown becomes a problem of the place. */
function guarded<T>(place: Place, read: () => T): T | undefined {
  try {
    return read();
  } catch (thrown) {
    return place.problem(HeddleError.from(thrown).message);
  }
}
