import { stringify } from 'yaml';
import { durationText } from '../document/duration.ts';
import type { Rule, RuleGroup } from './rule.ts';
import type { Template } from './template.ts';

/**
 * Groups of rules as a document for Prometheus, as they were written. For Prometheus 2.42 and newer: what came later
 * (`labels` and `query_offset` of a group, `keep_firing_for` in 2.42) is written into the rules or only where it is used.
 */
export function writeRules(groups: readonly RuleGroup[]): string {
  const document = {
    groups: groups.map(({ name, everyMs, limit, offsetMs, rules }) => ({
      name,
      interval: durationText(everyMs),
      ...(limit > 0 && { limit }),
      ...(offsetMs > 0 && { query_offset: durationText(offsetMs) }),
      rules: rules.map(written),
    })),
  };
  return stringify(document, { lineWidth: 0 });
}

function written(rule: Rule): object {
  if (rule.kind === 'record')
    return {
      record: rule.name,
      expr: rule.query,
      ...(Object.keys(rule.labels).length > 0 && { labels: rule.labels }),
    };
  return {
    alert: rule.name,
    expr: rule.query,
    ...(rule.forMs > 0 && { for: durationText(rule.forMs) }),
    ...(rule.keepFiringMs > 0 && { keep_firing_for: durationText(rule.keepFiringMs) }),
    ...textsOf('labels', rule.labels),
    ...textsOf('annotations', rule.annotations),
  };
}

function textsOf(key: string, templates: Readonly<Record<string, Template>>): object {
  const texts = Object.entries(templates).map(([name, { text }]) => [name, text] as const);
  return texts.length === 0 ? {} : { [key]: Object.fromEntries(texts) };
}
