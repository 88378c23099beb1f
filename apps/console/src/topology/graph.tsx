import { UnstyledButton } from '@mantine/core';
import {
  type DOMAttributes,
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
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

const scales = { least: 0.2, most: 4, step: 1.2 };

/**
 * The calls as a picture: callers at the left. It is drawn once and moved by scrolling, which draws nothing anew. Drag or
 * arrow keys move it, the wheel with Ctrl or + and - make it larger, 0 shows it in its own size, f all of it.
 */
export function Graph({ nodes, edges, focus, onFocus }: GraphProps): ReactNode {
  const t = useTexts();
  const { places } = useLaidOut(nodes, edges);
  const size = sizeOf(places);
  const region = useRef<HTMLDivElement>(null);
  const { scale, zoom, show } = useZoom(region, size);
  const drag = useDrag();
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
  const onKey = (event: KeyboardEvent): void => {
    const keys: Readonly<Record<string, () => void>> = {
      '+': () => zoom(scales.step),
      '-': () => zoom(1 / scales.step),
      '0': () => show('own size'),
      f: () => show('all'),
    };
    const act = keys[event.key];
    if (act === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act();
  };
  return (
    <div className="graph-frame">
      <div
        className="graph"
        ref={region}
        role="group"
        tabIndex={0}
        aria-label={t('Services and their calls; arrow keys move, + and - zoom')}
        onKeyDown={onKey}
        {...drag}
        onWheel={(event) => {
          if (event.ctrlKey) zoom(event.deltaY < 0 ? 1.1 : 1 / 1.1);
        }}
      >
        <svg
          viewBox={`0 0 ${size.width} ${size.height}`}
          width={size.width * scale}
          height={size.height * scale}
          data-nodes={nodes.length}
        >
          <g>{picture}</g>
        </svg>
      </div>
      <ZoomButtons zoom={zoom} show={show} />
    </div>
  );
}

/** Moves what a region shows with the mouse; a finger scrolls by itself. What was pulled is not clicked. */
function useDrag(): Pick<DOMAttributes<HTMLElement>, 'onPointerDown' | 'onPointerMove' | 'onClickCapture'> {
  const held = useRef({ x: 0, y: 0, way: 0 });
  return {
    onPointerDown: ({ clientX: x, clientY: y }) => {
      held.current = { x, y, way: 0 };
    },
    onPointerMove: ({ currentTarget, buttons, pointerType, clientX: x, clientY: y }) => {
      if (pointerType !== 'mouse' || buttons !== 1) return;
      const { current: last } = held;
      currentTarget.scrollBy(last.x - x, last.y - y);
      held.current = { x, y, way: last.way + Math.abs(last.x - x) + Math.abs(last.y - y) };
    },
    onClickCapture: (event) => {
      if (held.current.way > 4 && event.detail > 0) event.stopPropagation();
    },
  };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Zoom {
  readonly scale: number;
  readonly zoom: (by: number) => void;
  readonly show: (what: 'all' | 'own size') => void;
}

/** How large the picture is drawn. What is in the middle stays there. */
function useZoom(region: RefObject<HTMLDivElement | null>, size: Size): Zoom {
  const [scale, setScale] = useState(1);
  const drawn = useRef(scale);
  useLayoutEffect(() => {
    const at = region.current;
    const by = scale / drawn.current;
    drawn.current = scale;
    if (at === null || by === 1) return;
    const [halfWidth, halfHeight] = [at.clientWidth / 2, at.clientHeight / 2];
    at.scrollTo((at.scrollLeft + halfWidth) * by - halfWidth, (at.scrollTop + halfHeight) * by - halfHeight);
  }, [scale, region]);
  // On a phone the first view is of more than one column.
  const isKnown = size.width > 2 * box.margin + box.width;
  useLayoutEffect(() => {
    const width = region.current?.clientWidth ?? size.width;
    if (isKnown && width < 600) setScale(Math.max(0.6, Math.min(1, width / size.width)));
    // Once, when the picture is there.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [isKnown]);
  const bounded = (wanted: number): number => Math.min(scales.most, Math.max(scales.least, wanted));
  return {
    scale,
    zoom: (by) => setScale((now) => bounded(now * by)),
    show: (what) => {
      const at = region.current;
      if (what === 'own size' || at === null) return setScale(1);
      const tallest = Number.parseFloat(getComputedStyle(at).maxHeight);
      setScale(bounded(Math.min(1, at.clientWidth / size.width, tallest / size.height)));
    },
  };
}

function ZoomButtons({ zoom, show }: Omit<Zoom, 'scale'>): ReactNode {
  const t = useTexts();
  return (
    <div className="zoom">
      <UnstyledButton aria-label={t('Larger')} title="+" onClick={() => zoom(scales.step)}>
        +
      </UnstyledButton>
      <UnstyledButton aria-label={t('Smaller')} title="-" onClick={() => zoom(1 / scales.step)}>
        −
      </UnstyledButton>
      <UnstyledButton title="f" onClick={() => show('all')}>
        {t('Fit')}
      </UnstyledButton>
    </div>
  );
}

function sizeOf(places: ReadonlyMap<string, Placed>): Size {
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
  const t = useTexts();
  const [from, to] = [places.get(edge.client), places.get(edge.server)];
  if (from === undefined || to === undefined) return null;
  const [a, b] = [cornerOf(from), cornerOf(to)];
  const back = to.column <= from.column;
  const [x1, y1] = [a.x + (back ? 0 : box.width), a.y + box.height / 2];
  const [x2, y2] = [b.x + (back && to.column < from.column ? box.width : 0), b.y + box.height / 2];
  const bend = back ? -60 : box.columnGap / 2;
  const level = edge.errorShare >= 0.05 ? 'bad' : edge.errorShare > 0 ? 'some' : 'good';
  const text = `${edge.client} → ${edge.server}: ${t('{rate}/s', { rate: number(edge.perSecond) })}, ${percent(edge.errorShare) ?? ''}, p95 ${duration(edge.p95Ms) ?? ''}`;
  const width = Math.min(6, 1 + Math.log10(1 + edge.perSecond * 10));
  return (
    <g className="edge" data-level={level} data-edge={`${edge.client} ${edge.server}`}>
      <title>{text}</title>
      <path
        d={wayOf({ x: x1, y: y1 }, { x: x2, y: y2 }, bend, back ? [] : passedColumns(from, to, places))}
        strokeWidth={width}
      />
      {level !== 'good' && (
        <text x={x2 - (back ? -24 : 24)} y={y2 - 6} textAnchor="middle">
          {percent(edge.errorShare)}
        </text>
      )}
    </g>
  );
}

/** The columns between two nodes, each with the rows at which boxes stand there. */
function passedColumns(
  from: Placed,
  to: Placed,
  places: ReadonlyMap<string, Placed>,
): readonly { readonly x: number; readonly tops: readonly number[] }[] {
  if (to.column - from.column < 2) return [];
  const between = [...places.values()].filter(({ column }) => column > from.column && column < to.column);
  return [...Map.groupBy(between, ({ column }) => column)]
    .toSorted(([a], [b]) => a - b)
    .map(([, all]) => ({
      x: cornerOf(all[0] as Placed).x,
      tops: all.map((each) => cornerOf(each).y).toSorted((a, b) => a - b),
    }));
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A curve from one point to another that goes between the boxes of the columns in its way. */
function wayOf(from: Point, to: Point, bend: number, columns: ReturnType<typeof passedColumns>): string {
  let [way, at] = [`M${from.x} ${from.y}`, from];
  const curve = (next: Point, by: number): void => {
    way += `C${at.x + by} ${at.y} ${next.x - by} ${next.y} ${next.x} ${next.y}`;
    at = next;
  };
  for (const { x, tops } of columns) {
    const straight = from.y + ((to.y - from.y) * (x + box.width / 2 - from.x)) / (to.x - from.x);
    const y = freeHeight(straight, tops);
    curve({ x, y }, box.columnGap / 2);
    at = { x: x + box.width, y };
    way += `H${at.x}`;
  }
  curve(to, bend);
  return way;
}

/** The height nearest to a wanted one at which no box stands. */
function freeHeight(wanted: number, tops: readonly number[]): number {
  const room = box.rowGap / 2;
  const isFree = (y: number): boolean => tops.every((top) => y < top - 4 || y > top + box.height + 4);
  const beside = tops.flatMap((top) => [top - room, top + box.height + room]);
  return [wanted, ...beside]
    .filter(isFree)
    .reduce(
      (best, y) => (Math.abs(y - wanted) < Math.abs(best - wanted) ? y : best),
      Number.POSITIVE_INFINITY,
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
  const said =
    perSecond === 0
      ? t('calls others')
      : `${t('{rate}/s', { rate: number(perSecond) })} · ${percent(share) ?? '–'}`;
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
