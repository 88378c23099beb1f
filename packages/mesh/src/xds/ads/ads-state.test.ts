import path from 'node:path';
import { type Command, parseDurationMs, testTranscripts } from '@heddle/kernel/testing';
import { type AdsEffect, type AdsInput, noStreams, step } from './ads-state.ts';
import type { AdsProtocol } from './ads-stream.ts';
import { type Resources, type Snapshot, type XdsType, xdsTypes } from './resource.ts';

testTranscripts(path.join(import.meta.dirname, 'testdata'), adsStage);

/** Executes the commands of the transcripts. Resources are written `name@version`, with `:needs` behind clusters. */
function adsStage(): (command: Command) => string {
  let state = noStreams;
  let nowMs = 0;
  const nonces = new Map<string, string>();
  const known = new Map<string, Resources>();
  const apply = (input: AdsInput): string => {
    const next = step(state, input, nowMs);
    state = next.state;
    for (const effect of next.effects)
      if (effect.kind === 'push') nonces.set(`${effect.stream} ${effect.type}`, effect.nonce);
    return next.effects.map(shown).join('\n');
  };
  const listOf = (text: string | undefined): string[] =>
    text === undefined || text === '' ? [] : text.split(',');
  return ({ name, words, options }) => {
    const [first = '', second = ''] = words;
    const type = second as XdsType;
    const request = (error: string | undefined): string =>
      apply({
        kind: 'request',
        stream: first,
        request: {
          type,
          nonce: options.get('nonce') ?? nonces.get(`${first} ${type}`) ?? '',
          error,
          names: listOf(options.get('names')),
          subscribe: listOf(options.get('subscribe')),
          unsubscribe: listOf(options.get('unsubscribe')),
          initial: new Map(listOf(options.get('initial')).map((each) => each.split('@') as [string, string])),
        },
      });
    switch (name) {
      case 'at':
        nowMs = parseDurationMs(first);
        return apply({ kind: 'time' });
      case 'snapshot': {
        const snapshot = snapshotOf(first, options, known);
        return apply({ kind: 'snapshots', snapshots: new Map([['all', snapshot]]) });
      }
      case 'connect':
        return apply({
          kind: 'connected',
          stream: first,
          protocol: second as AdsProtocol,
          node: `node-${first}`,
          group: 'all',
        });
      case 'leave':
        return apply({ kind: 'disconnected', stream: first });
      case 'ask':
        return request(undefined);
      case 'nack':
        return request((options.get('error') ?? '').replaceAll('_', ' '));
      case 'state':
        return [...state.streams.values()]
          .flatMap(({ id, subscriptions }) =>
            [...subscriptions].map(
              ([each, { acknowledged, pending }]) =>
                `${id} ${each} has ${acknowledged || 'nothing'}${pending ? `, waits for ${pending.version}` : ''}`,
            ),
          )
          .join('\n');
      default:
        throw new Error(`no command ${name}`);
    }
  };
}

/** A type that is not named stays as it was, the very same map. */
function snapshotOf(
  version: string,
  options: ReadonlyMap<string, string>,
  known: Map<string, Resources>,
): Snapshot {
  for (const type of xdsTypes) {
    const text = options.get(type) ?? (known.has(type) ? undefined : '');
    if (text === undefined) continue;
    const resources = text
      .split(',')
      .filter((each) => each !== '')
      .map((each) => {
        const [id = '', needs] = each.split(':');
        const [name = '', ofIt = ''] = id.split('@');
        const resource = {
          name,
          version: ofIt,
          bytes: Uint8Array.of(1),
          ...(needs !== undefined && { needs }),
        };
        return [name, resource] as const;
      });
    known.set(type, new Map(resources));
  }
  return { version, ...Object.fromEntries(known) } as unknown as Snapshot;
}

function shown(effect: AdsEffect): string {
  if (effect.kind === 'wake') return `wake at ${effect.atMs}ms`;
  if (effect.kind === 'refused') {
    const { name, version, instead, message, node } = effect.refused;
    const kept = instead === undefined ? 'nothing' : `${instead.name}@${instead.version}`;
    return `${node} refuses ${name}@${version}, ${kept} instead: ${message}`;
  }
  const resources = effect.resources.map(({ name, version }) => `${name}@${version}`).join(' ');
  const removed = effect.removed.length === 0 ? '' : ` without ${effect.removed.join(' ')}`;
  return `${effect.stream} <- ${effect.type} ${effect.version} #${effect.nonce}: ${resources}${removed}`;
}
