import { UnstyledButton } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import {
  memo,
  type ReactNode,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';

/** One column of a table. */
export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  /** What it is sorted by; without it, it cannot be. */
  readonly sortBy?: (row: Row) => string | number | null;
  readonly numeric?: boolean;
  /** Not on a phone. */
  readonly wide?: boolean;
}

interface TableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly onOpen?: (row: Row) => void;
  readonly opened?: string | undefined;
  /** Rows of one height are drawn only where they are seen; default true beyond a hundred. */
  readonly rowHeight?: number;
  readonly maxHeight?: string;
}

interface Order {
  readonly key: string;
  readonly down: boolean;
}

/** A table that can be sorted, walked by keyboard, and hold fifty thousand rows: only those that are seen are drawn. */
export function DataTable<Row>({
  label,
  columns,
  rows,
  keyOf,
  onOpen,
  opened,
  rowHeight = 37,
  maxHeight = '70dvh',
}: TableProps<Row>): ReactNode {
  const [order, setOrder] = useState<Order>();
  const sorted = useMemo(() => sortedBy(rows, columns, order), [rows, columns, order]);
  const region = useRef<HTMLDivElement>(null);
  const isLong = sorted.length > 100;
  const virtual = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => region.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    useFlushSync: false,
    enabled: isLong,
  });
  const items = virtual.getVirtualItems();
  const [first, last] = [items[0], items.at(-1)];
  const above = isLong ? (first?.start ?? 0) : 0;
  const below = isLong && last !== undefined ? virtual.getTotalSize() - last.end : 0;
  // A line that is scrolled out becomes the one that is scrolled in: changing its texts is less work than making another.
  const lines = useRef(0);
  lines.current = Math.max(lines.current, items.length);
  const seen = isLong
    ? items.map(({ index }) => [sorted[index] as Row, index, String(index % lines.current)] as const)
    : sorted.map((row, index) => [row, index, keyOf(row)] as const);
  const widths = useKeptWidths(region, isLong, columns);
  return (
    <div
      className="table-region"
      role="region"
      aria-label={label}
      ref={region}
      tabIndex={0}
      style={{ maxHeight: isLong ? maxHeight : undefined }}
    >
      <table
        className="data"
        data-rows={sorted.length}
        data-kept={widths !== undefined}
        aria-rowcount={sorted.length + 1}
        style={{ minWidth: widths?.all }}
      >
        <Heads columns={columns} order={order} setOrder={setOrder} widths={widths} />
        <tbody>
          {above > 0 && <Spacer height={above} columns={columns.length} />}
          {seen.map(([row, at, key]) => (
            <Row
              key={key}
              at={at}
              id={keyOf(row)}
              row={row}
              columns={columns}
              onOpen={onOpen}
              opened={opened}
              fixed={isLong ? rowHeight : undefined}
            />
          ))}
          {below > 0 && <Spacer height={below} columns={columns.length} />}
        </tbody>
      </table>
    </div>
  );
}

interface Widths {
  readonly all: number;
  /** Of each column, in percent. */
  readonly shares: readonly number[];
}

/**
 * The widths that the browser has given the columns of a long table for the rows it began with. With them it need not look
 * at all cells again whenever others come into view, and the columns stand still. Undefined until they are known.
 */
function useKeptWidths(
  region: RefObject<HTMLDivElement | null>,
  isLong: boolean,
  columns: readonly { readonly key: string; readonly title: string }[],
): Widths | undefined {
  const [kept, setKept] = useState<{ readonly of: string; readonly widths: Widths }>();
  const of = columns.map(({ title }) => title).join('\n');
  useLayoutEffect(() => {
    const table = region.current;
    if (!isLong || kept?.of === of || table === null || table.querySelector('tr[data-row]') === null) return;
    const heads = [...table.querySelectorAll('th')].map((head) => head.getBoundingClientRect().width);
    const all = heads.reduce((sum, width) => sum + width, 0);
    if (all > 0) setKept({ of, widths: { all, shares: heads.map((width) => (width / all) * 100) } });
  });
  useEffect(() => {
    const anew = (): void => setKept(undefined);
    window.addEventListener('resize', anew);
    return () => window.removeEventListener('resize', anew);
  }, []);
  return isLong && kept?.of === of ? kept.widths : undefined;
}

const Heads = memo(PlainHeads) as typeof PlainHeads;

function PlainHeads<Row>({
  columns,
  order,
  setOrder,
  widths,
}: {
  readonly columns: readonly Column<Row>[];
  readonly order: Order | undefined;
  readonly setOrder: (order: Order) => void;
  readonly widths: Widths | undefined;
}): ReactNode {
  return (
    <thead>
      <tr>
        {columns.map(({ key, title, sortBy, numeric, wide }, at) => {
          const isOrder = order?.key === key;
          const sort = isOrder ? (order.down ? 'descending' : 'ascending') : undefined;
          return (
            <th
              key={key}
              scope="col"
              aria-sort={sort}
              className={classOf(numeric, wide)}
              style={{ width: widths && `${widths.shares[at] ?? 0}%` }}
            >
              {sortBy === undefined ? (
                title
              ) : (
                <UnstyledButton
                  className="sort"
                  onClick={() => setOrder({ key, down: isOrder ? !order.down : numeric === true })}
                >
                  {title}
                  <span aria-hidden="true">{isOrder ? (order.down ? ' ↓' : ' ↑') : ''}</span>
                </UnstyledButton>
              )}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

// While somebody scrolls, the rows that are there already are not drawn again.
const Row = memo(PlainRow) as typeof PlainRow;

interface RowProps<R> {
  readonly at: number;
  readonly id: string;
  readonly row: R;
  readonly columns: readonly Column<R>[];
  readonly onOpen: ((row: R) => void) | undefined;
  readonly opened: string | undefined;
  readonly fixed: number | undefined;
}

function PlainRow<R>({ at, id, row, columns, onOpen, opened, fixed }: RowProps<R>): ReactNode {
  const open = onOpen && {
    onClick: () => onOpen(row),
    tabIndex: 0,
    onKeyDown: (event: React.KeyboardEvent<HTMLElement>) => {
      if (event.target !== event.currentTarget) return;
      if (event.key === 'Enter') onOpen(row);
      const next = neighbour(event.currentTarget, event.key);
      if (next === undefined) return;
      event.preventDefault();
      next.focus();
    },
  };
  return (
    <tr
      data-row={id}
      aria-rowindex={at + 2}
      className={onOpen ? 'opens' : undefined}
      aria-selected={opened === id ? true : undefined}
      style={{ height: fixed }}
      {...open}
    >
      {columns.map(({ key, cell, numeric, wide }) => (
        <td key={key} className={classOf(numeric, wide)}>
          {cell(row)}
        </td>
      ))}
    </tr>
  );
}

/** The row above or below, by the arrow keys or k and j. */
function neighbour(row: HTMLElement, key: string): HTMLElement | undefined {
  const found =
    key === 'ArrowDown' || key === 'j'
      ? row.nextElementSibling
      : key === 'ArrowUp' || key === 'k'
        ? row.previousElementSibling
        : null;
  return found instanceof HTMLElement && found.dataset['row'] !== undefined ? found : undefined;
}

function Spacer({ height, columns }: { readonly height: number; readonly columns: number }): ReactNode {
  return (
    <tr aria-hidden="true">
      <td colSpan={columns} style={{ height, padding: 0, border: 0 }} />
    </tr>
  );
}

function classOf(numeric: boolean | undefined, wide: boolean | undefined): string | undefined {
  return [numeric === true && 'numeric', wide === true && 'wide'].filter(Boolean).join(' ') || undefined;
}

function sortedBy<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  order: Order | undefined,
): readonly Row[] {
  const by = columns.find(({ key }) => key === order?.key)?.sortBy;
  if (by === undefined || order === undefined) return rows;
  const sign = order.down ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [left, right] = [by(a), by(b)];
    // What was not measured stands last, whichever way it is sorted.
    if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1;
    return left < right ? -sign : left > right ? sign : 0;
  });
}
