import { useEffect, useRef, useState } from 'react';
import type { Placed } from './layout.ts';
import type { LayoutAnswer, LayoutQuestion } from './layout-worker.ts';
import { type Edge, layoutEdges } from './visible.ts';

/** Where the nodes of one shape of a graph stand. */
export interface LaidOut {
  readonly shape: string;
  readonly places: ReadonlyMap<string, Placed>;
}

const nothing: LaidOut = { shape: '', places: new Map() };

/**
 * Where each node stands, laid out beside the page by a worker. Kept from one answer to the next: a node moves only when
 * the graph has another shape, and what was there is shown until the new places are known.
 */
export function useLaidOut(nodes: readonly string[], edges: readonly Edge[]): LaidOut {
  const [laidOut, setLaidOut] = useState(nothing);
  const worker = useRef<Worker>(undefined);
  const asked = useRef({ id: 0, shape: '' });
  const last = useRef(laidOut);
  last.current = laidOut;
  useEffect(() => {
    const made = new Worker(workerUrl(), { type: 'module' });
    worker.current = made;
    asked.current = { id: 0, shape: '' };
    made.addEventListener('message', ({ data }: MessageEvent<LayoutAnswer>) => {
      // An answer that was overtaken by a newer question is of no use.
      const { id, shape } = asked.current;
      if (data.id === id)
        setLaidOut({ shape, places: new Map(centred(data.placed).map((each) => [each.id, each])) });
    });
    return () => made.terminate();
  }, []);
  useEffect(() => {
    const shape = JSON.stringify([
      nodes,
      edges.map(({ client, server }) => `${client} ${server}`).toSorted(),
    ]);
    if (asked.current.shape === shape) return;
    asked.current = { id: asked.current.id + 1, shape };
    const { places } = last.current;
    const same = nodes.length > 0 && places.size === nodes.length && nodes.every((node) => places.has(node));
    const question: LayoutQuestion = {
      id: asked.current.id,
      nodes,
      edges: layoutEdges(edges),
      before: same ? places : new Map(),
    };
    worker.current?.postMessage(question);
  }, [nodes, edges]);
  return laidOut;
}

function workerUrl(): string {
  return document.querySelector<HTMLMetaElement>('meta[name=layout-worker]')?.content ?? '';
}

/** Short columns stand in the middle of long ones. */
function centred(placed: readonly Placed[]): Placed[] {
  const lengths = new Map<number, number>();
  for (const { column } of placed) lengths.set(column, (lengths.get(column) ?? 0) + 1);
  const longest = Math.max(0, ...lengths.values());
  return placed.map((each) => ({ ...each, row: each.row + (longest - (lengths.get(each.column) ?? 0)) / 2 }));
}
