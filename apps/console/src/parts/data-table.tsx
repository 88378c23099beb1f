import { UnstyledButton } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, type ReactNode, useMemo, useRef, useState } from 'react';

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
  const seen = isLong ? items.map(({ index }) => sorted[index] as Row) : sorted;
  const above = isLong ? (first?.start ?? 0) : 0;
  const below = isLong && last !== undefined ? virtual.getTotalSize() - last.end : 0;
  return (
    <div
      className="table-region"
      role="region"
      aria-label={label}
      ref={region}
      tabIndex={0}
      style={{ maxHeight: isLong ? maxHeight : undefined }}
    >
      <table className="data" data-rows={sorted.length} aria-rowcount={sorted.length + 1}>
        <Heads columns={columns} order={order} setOrder={setOrder} />
        <tbody>
          {above > 0 && <Spacer height={above} columns={columns.length} />}
          {seen.map((row) => (
            <Row
              key={keyOf(row)}
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

function Heads<Row>({
  columns,
  order,
  setOrder,
}: {
  readonly columns: readonly Column<Row>[];
  readonly order: Order | undefined;
  readonly setOrder: (order: Order) => void;
}): ReactNode {
  return (
    <thead>
      <tr>
        {columns.map(({ key, title, sortBy, numeric, wide }) => {
          const isOrder = order?.key === key;
          const sort = isOrder ? (order.down ? 'descending' : 'ascending') : undefined;
          return (
            <th key={key} scope="col" aria-sort={sort} className={classOf(numeric, wide)}>
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
  readonly id: string;
  readonly row: R;
  readonly columns: readonly Column<R>[];
  readonly onOpen: ((row: R) => void) | undefined;
  readonly opened: string | undefined;
  readonly fixed: number | undefined;
}

function PlainRow<R>({ id, row, columns, onOpen, opened, fixed }: RowProps<R>): ReactNode {
  const open = onOpen && {
    onClick: () => onOpen(row),
    tabIndex: 0,
    onKeyDown: (event: React.KeyboardEvent) => {
      if (event.key === 'Enter' && event.target === event.currentTarget) onOpen(row);
    },
  };
  return (
    <tr
      data-row={id}
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
