import { type KeyboardEvent, type ReactNode, useMemo, useRef, useState } from 'react';
import { duration, number, percent } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';
import { useLaidOut } from './laid-out.ts';
import type { Placed } from './layout.ts';
import type { Edge } from './visible.ts';

const box = { width: 150, height: 44, columnGap: 110, rowGap: 26, margin: 24 };

interface GraphProps {
  readonly nodes: readonly string[];
  readonly edges: readonly Edge[];
  readonly focus: string | undefined;
  readonly onFocus: (node: string) => void;
}

interface Area {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

/** The calls as a picture: callers at the left. Drag or arrow keys move it, the wheel with Ctrl or + and - make it larger. */
export function Graph({ nodes, edges, focus, onFocus }: GraphProps): ReactNode {
  const t = useTexts();
  const { places } = useLaidOut(nodes, edges);
  const size = sizeOf(places);
  // Moving the picture draws none of it anew.
  const picture = useMemo(
    () => (
      <>
        {edges.map((edge) => (
          <EdgeLine key={`${edge.client} ${edge.server}`} edge={edge} places={places} />
        ))}
        {nodes.map((node) => (
          <NodeBox
            key={node}
            node={node}
            place={places.get(node)}
            edges={edges}
            focused={node === focus}
            onFocus={onFocus}
          />
        ))}
      </>
    ),
    [edges, nodes, places, focus, onFocus],
  );
  const [area, setArea] = useState<Area>({ x: 0, y: 0, scale: 1 });
  const drag = useRef<{ x: number; y: number } | undefined>(undefined);
  const move = (x: number, y: number): void => setArea((now) => ({ ...now, x: now.x + x, y: now.y + y }));
  const zoom = (by: number): void =>
    setArea((now) => ({ ...now, scale: Math.min(4, Math.max(0.2, now.scale * by)) }));
  const onKey = (event: KeyboardEvent): void => {
    const step: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => move(40, 0),
      ArrowRight: () => move(-40, 0),
      ArrowUp: () => move(0, 40),
      ArrowDown: () => move(0, -40),
      '+': () => zoom(1.2),
      '-': () => zoom(1 / 1.2),
      '0': () => setArea({ x: 0, y: 0, scale: 1 }),
    };
    const act = step[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };
  return (
    <div
      className="graph"
      role="group"
      tabIndex={0}
      aria-label={t('Services and their calls; arrow keys move, + and - zoom')}
      onKeyDown={onKey}
      onPointerDown={(event) => {
        drag.current = { x: event.clientX, y: event.clientY };
      }}
      onPointerMove={(event) => {
        if (drag.current === undefined || event.buttons === 0) return;
        move(event.clientX - drag.current.x, event.clientY - drag.current.y);
        drag.current = { x: event.clientX, y: event.clientY };
      }}
      onWheel={(event) => {
        if (event.ctrlKey) zoom(event.deltaY < 0 ? 1.1 : 1 / 1.1);
      }}
    >
      <svg
        viewBox={`0 0 ${size.width} ${size.height}`}
        width={size.width}
        height={size.height}
        data-nodes={nodes.length}
      >
        <g transform={`translate(${area.x} ${area.y}) scale(${area.scale})`}>{picture}</g>
      </svg>
    </div>
  );
}

function sizeOf(places: ReadonlyMap<string, Placed>): { width: number; height: number } {
  const all = [...places.values()];
  const columns = Math.max(0, ...all.map(({ column }) => column)) + 1;
  const rows = Math.max(0, ...all.map(({ row }) => row)) + 1;
  return {
    width: columns * box.width + (columns - 1) * box.columnGap + 2 * box.margin,
    height: rows * (box.height + box.rowGap) + 2 * box.margin,
  };
}

function cornerOf({ column, row }: Placed): { x: number; y: number } {
  return {
    x: box.margin + column * (box.width + box.columnGap),
    y: box.margin + row * (box.height + box.rowGap),
  };
}

function EdgeLine({
  edge,
  places,
}: {
  readonly edge: Edge;
  readonly places: ReadonlyMap<string, Placed>;
}): ReactNode {
  const [from, to] = [places.get(edge.client), places.get(edge.server)];
  if (from === undefined || to === undefined) return null;
  const [a, b] = [cornerOf(from), cornerOf(to)];
  const back = to.column <= from.column;
  const [x1, y1] = [a.x + (back ? 0 : box.width), a.y + box.height / 2];
  const [x2, y2] = [b.x + (back && to.column < from.column ? box.width : 0), b.y + box.height / 2];
  const bend = back ? -60 : box.columnGap / 2;
  const level = edge.errorShare >= 0.05 ? 'bad' : edge.errorShare > 0 ? 'some' : 'good';
  const text = `${edge.client} → ${edge.server}: ${number(edge.perSecond)}/s, ${percent(edge.errorShare) ?? ''}, p95 ${duration(edge.p95Ms) ?? ''}`;
  const width = Math.min(6, 1 + Math.log10(1 + edge.perSecond * 10));
  return (
    <g className="edge" data-level={level} data-edge={`${edge.client} ${edge.server}`}>
      <title>{text}</title>
      <path d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`} strokeWidth={width} />
      {level !== 'good' && (
        <text x={x2 - (back ? -24 : 24)} y={y2 - 6} textAnchor="middle">
          {percent(edge.errorShare)}
        </text>
      )}
    </g>
  );
}

interface NodeProps {
  readonly node: string;
  readonly place: Placed | undefined;
  readonly edges: readonly Edge[];
  readonly focused: boolean;
  readonly onFocus: (node: string) => void;
}

function NodeBox({ node, place, edges, focused, onFocus }: NodeProps): ReactNode {
  const t = useTexts();
  if (place === undefined) return null;
  const { x, y } = cornerOf(place);
  const received = edges.filter(({ server }) => server === node);
  const perSecond = received.reduce((sum, edge) => sum + edge.perSecond, 0);
  const share =
    perSecond > 0
      ? received.reduce((sum, edge) => sum + edge.perSecond * edge.errorShare, 0) / perSecond
      : null;
  const level = share !== null && share >= 0.05 ? 'bad' : 'good';
  const said = perSecond === 0 ? t('calls others') : `${number(perSecond)}/s · ${percent(share) ?? '–'}`;
  return (
    <g
      className="node"
      role="button"
      tabIndex={0}
      transform={`translate(${x} ${y})`}
      data-node={node}
      data-level={level}
      data-focused={focused}
      onClick={() => onFocus(node)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') onFocus(node);
      }}
    >
      <title>{`${node}: ${said}`}</title>
      <rect width={box.width} height={box.height} rx={4} />
      <text x={10} y={18} className="name">
        {node.length > 19 ? `${node.slice(0, 18)}…` : node}
      </text>
      <text x={10} y={34} className="said">
        {said}
      </text>
    </g>
  );
}
