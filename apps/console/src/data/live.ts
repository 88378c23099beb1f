import { useSyncExternalStore } from 'react';
import type { Overview } from './views.ts';

/** Whether the page hears from the server. */
export type LiveState = 'connecting' | 'live' | 'lost' | 'paused';

interface Live {
  readonly state: LiveState;
  readonly overview: Overview | undefined;
}

let live: Live = { state: 'connecting', overview: undefined };
let source: EventSource | undefined;
const listeners = new Set<() => void>();

function change(next: Partial<Live>): void {
  live = { ...live, ...next };
  for (const listener of listeners) listener();
}

function open(): void {
  source = new EventSource('/api/events');
  source.addEventListener('overview', (event: MessageEvent<string>) => {
    change({ state: 'live', overview: JSON.parse(event.data) as Overview });
  });
  // The browser connects again by itself.
  source.addEventListener('error', () => change({ state: 'lost' }));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (source === undefined && live.state !== 'paused') open();
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    source?.close();
    source = undefined;
  };
}

/** The newest overview as the server sends it; undefined until the first one. */
export function useLive(): Live {
  return useSyncExternalStore(subscribe, () => live);
}

/** Holds the page still, or lets it follow again. */
export function pause(still: boolean): void {
  source?.close();
  source = undefined;
  change({ state: still ? 'paused' : 'connecting' });
  if (!still) open();
}
