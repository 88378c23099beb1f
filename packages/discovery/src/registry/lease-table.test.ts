import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type Command, parseDurationMs, runTranscript } from '../testing/transcript.ts';
import type { Change } from './change-log.ts';
import type { Health } from './instance.ts';
import { type LeaseEffect, type LeaseInput, leaseTable, step } from './lease-table.ts';
import { instance } from './validate-instance.ts';

// HEDDLE_REWRITE=1 writes what really happened into the files. Commit that only if you know why it changed.
const rewrite = process.env['HEDDLE_REWRITE'] === '1';
const folder = path.join(import.meta.dirname, 'testdata');

for (const file of readdirSync(folder).filter((name) => name.startsWith('lease-'))) {
  test(`transcript ${file}`, () => {
    const text = readFileSync(path.join(folder, file), 'utf8');
    const actual = runTranscript(text, leaseTableStage());
    if (rewrite) writeFileSync(path.join(folder, file), actual);
    else assert.equal(actual, text);
  });
}

/** Executes the commands of the lease table's transcripts. */
function leaseTableStage(): (command: Command) => string {
  let table = leaseTable();
  let nowMs = 0;
  const apply = (input: LeaseInput): string => {
    const { state, effects } = step(table, input, nowMs);
    table = state;
    return effects.length === 0 ? 'nothing' : effects.map(showEffect).join('\n');
  };
  return (command) => {
    const { name, words, options } = command;
    const [service = '', id = ''] = (words[0] ?? '').split('/');
    const option = (key: string): string => options.get(key) ?? '';
    switch (name) {
      case 'table': {
        const preservation = {
          share: Number(options.get('share') ?? 0.15),
          leastLapsed: Number(options.get('least') ?? 10),
        };
        const limits = {
          historyLength: Number(options.get('history') ?? 100),
          maxInstances: Number(options.get('max') ?? 100),
        };
        table = leaseTable({ ...limits, preservation });
        return '';
      }
      case 'restart': {
        const leased = table.services().flatMap((at) => table.held(at));
        nowMs = 0;
        table = leaseTable({}, { revision: table.revision, leased }, nowMs);
        return `revision ${table.revision}, ${table.size} instances`;
      }
      case 'at':
        nowMs = parseDurationMs(words[0] ?? '');
        return '';
      case 'register': {
        const made = instance({
          service,
          id,
          address: options.get('host') ?? 'h1',
          port: 80,
          weight: Number(options.get('weight') ?? 100),
        });
        const ttlMs = parseDurationMs(options.get('ttl') ?? '10s');
        const fresh = !words.includes('again');
        return apply({
          kind: 'register',
          instance: made,
          lease: option('lease'),
          ttlMs,
          fresh,
          wallMs: nowMs,
        });
      }
      case 'renew': {
        const health = options.get('health') as Health | undefined;
        return apply({ kind: 'renew', service, id, lease: option('lease'), health, wallMs: nowMs });
      }
      case 'deregister':
        return apply({ kind: 'deregister', service, id, lease: options.get('lease') });
      case 'expire':
        return apply({ kind: 'expire' });
      case 'list': {
        const held = table.services().flatMap((at) => table.held(at));
        const shown = held.map(
          (at) =>
            `${at.instance.service}/${at.instance.id} lease=${at.lease} heartbeat=${at.lastHeartbeatMs}ms`,
        );
        return [...shown, `revision ${table.revision}${table.preserving ? ', preserving' : ''}`].join('\n');
      }
      case 'since': {
        const changes = table.changesSince(service, Number(words[1]));
        if (changes === undefined) return 'compacted';
        return changes.length === 0 ? 'nothing' : changes.map(showChange).join('\n');
      }
      default:
        throw new Error(`unknown command ${name}`);
    }
  };
}

function showEffect(effect: LeaseEffect): string {
  switch (effect.kind) {
    case 'changed':
      return showChange(effect.change);
    case 'granted':
      return 'granted';
    case 'refused':
      return `refused: ${effect.error.code} ${effect.error.reason}`;
    case 'preserving':
      return `preserving: ${effect.lapsed} of ${effect.of} lapsed together`;
    case 'recovered':
      return `recovered: ${effect.live} of ${effect.of} live`;
  }
}

function showChange({ revision, service, id, instance: now }: Change): string {
  const what = now === undefined ? 'removed' : `${now.address} weight=${now.weight} health=${now.health}`;
  return `r${revision} ${service}/${id}: ${what}`;
}
