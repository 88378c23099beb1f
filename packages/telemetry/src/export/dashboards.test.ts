import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultRules } from '../alerts/rules/default-rules.ts';
import { readRules } from '../alerts/rules/rule-document.ts';
import { writeRules } from '../alerts/rules/rule-document-writer.ts';
import { parsePromQl } from '../promql/parse.ts';
import { dashboards, grafanaDashboard } from './dashboards.ts';

test('every expression of every dashboard is one of PromQL', () => {
  for (const { panels } of dashboards)
    for (const { queries } of panels)
      for (const { expr } of queries) parsePromQl(expr.replaceAll('$__rate_interval', '1m'));
});

test('a dashboard has what Grafana needs to import it, and no two are alike', () => {
  const all = dashboards.map(
    (each) => JSON.parse(JSON.stringify(grafanaDashboard(each))) as Record<string, unknown>,
  );
  assert.equal(new Set(all.map(({ uid }) => uid)).size, all.length);
  for (const { panels, schemaVersion, templating } of all) {
    assert.ok(Number(schemaVersion) > 30);
    assert.match(JSON.stringify(templating), /"query":"prometheus"/);
    const places = (panels as { gridPos: { x: number; y: number } }[]).map(
      ({ gridPos }) => `${gridPos.x} ${gridPos.y}`,
    );
    assert.equal(new Set(places).size, places.length);
  }
});

test('rules that were written out read back as they were', () => {
  const groups = readRules('a.yml', defaultRules);
  const again = readRules('a.yml', writeRules(groups));
  assert.deepEqual(JSON.parse(JSON.stringify(again)), JSON.parse(JSON.stringify(groups)));
});
