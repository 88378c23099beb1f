import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import {
  expose,
  httpServerMetrics,
  MetricRegistry,
  parseExposition,
  processMetrics,
  rpcMetrics,
} from '../index.ts';
import { processReader } from './index.ts';

test('a process knows its CPU time, memory and event loop', () => {
  const registry = new MetricRegistry();
  processMetrics(registry, processReader());
  const value = (name: string): number => {
    const found = parseExposition(expose(registry)).find((sample) => sample.name === name);
    assert.ok(found, `${name} is there`);
    return found.value;
  };
  const before = value('process_cpu_seconds_total');
  let sum = 0;
  while (value('process_cpu_seconds_total') < before + 0.05) for (let at = 0; at < 1e6; at++) sum += at;
  assert.ok(sum > 0);
  assert.ok(value('process_resident_memory_bytes') > 10e6);
  assert.ok(value('nodejs_heap_used_bytes') <= value('nodejs_heap_size_bytes'));
  const utilization = value('nodejs_eventloop_utilization_ratio');
  assert.ok(utilization >= 0 && utilization <= 1, `${utilization}`);
});

const promtool = spawnSync('promtool', ['--version']).error === undefined;

test('promtool has no complaint', { skip: promtool ? false : 'SKIPPED: promtool is not installed' }, () => {
  const registry = new MetricRegistry();
  processMetrics(registry, processReader());
  httpServerMetrics(registry, { service: 'order' });
  rpcMetrics(registry, { side: 'server', describe: () => ({ service: 's', method: 'm' }) });
  registry
    .counter({ name: 'c_total', help: 'C.', labels: ['l'] })
    .series('"\\\n é')
    .inc();
  registry
    .histogram({ name: 'h_seconds', help: 'H.', labels: ['l'] })
    .series('x')
    .observe(1);
  const input = expose(registry);
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
  assert.equal(`${stdout}${stderr}`, '');
  assert.equal(status, 0);
});
