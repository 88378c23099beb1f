import { Anchor, Button, Code, Drawer, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import {
  type CSSProperties,
  type KeyboardEvent,
  memo,
  type ReactNode,
  useCallback,
  useMemo,
  useRef,
  useState,
} from 'react';
import { ask } from '../data/http.ts';
import { type SpanRow, type TraceColumns, type TraceTree, treeOf, unfolded } from '../data/trace.ts';
import { Filter } from '../parts/filter.tsx';
import { Loading } from '../parts/loading.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { duration, moment, number } from '../texts/format.ts';
import { shortName } from '../texts/short-name.ts';
import { useTexts } from '../texts/language.tsx';

const rowHeight = 26;
const linesAbove = 8;

/** One trace as a waterfall. Only the lines that are seen are drawn, so fifty thousand are no more work than fifty. */
export function TracePage(): ReactNode {
  const t = useTexts();
  const { id = '' } = useParams({ strict: false });
  const [text, setText] = useState('');
  const [opened, setOpened] = useState<string>();
  const { data, error } = useQuery({
    queryKey: ['trace', id],
    queryFn: () => ask<TraceColumns>(`traces/${encodeURIComponent(id)}`),
    staleTime: 60_000,
  });
  const tree = useMemo(() => data && treeOf(data), [data]);
  if (error)
    return (
      <Page title={t('Trace')}>
        <Problem error={error} />
      </Page>
    );
  if (data === undefined || tree === undefined) return <Loading />;
  const failed = data.failed.reduce((sum, one) => sum + one, 0);
  const facts = [
    moment(tree.startUs / 1000),
    duration(tree.totalUs / 1000),
    t('{count} spans', { count: number(data.id.length) }),
    t('{count} services', { count: data.services.length }),
    ...(failed > 0 ? [t('{count} failed', { count: failed })] : []),
    data.traceId,
  ];
  return (
    <Page
      title={tree.rows[0] === undefined ? t('Trace') : spanTitle(data, tree.rows[0].at)}
      note={facts.join(' · ')}
      side={<Filter value={text} onChange={setText} placeholder={t('Find a span')} />}
    >
      <Group gap="md">
        <Anchor component={Link} to={`/decisions?id=${data.traceId}`} size="sm">
          {t('Decisions of this trace')}
        </Anchor>
        <Anchor component={Link} to={`/logs?trace=${data.traceId}`} size="sm">
          {t('Logs of this trace')}
        </Anchor>
        <Anchor component={Link} to={`/compare?a=${data.traceId}`} size="sm">
          {t('Compare')}
        </Anchor>
        <Anchor href={`/api/traces/${data.traceId}`} download={`${data.traceId}.json`} size="sm">
          {t('Download as JSON')}
        </Anchor>
      </Group>
      <Waterfall trace={data} tree={tree} text={text} onOpen={setOpened} />
      <Drawer
        opened={opened !== undefined}
        onClose={() => setOpened(undefined)}
        position="right"
        size="md"
        title={t('Span')}
        closeButtonProps={{ 'aria-label': t('Close') }}
      >
        {opened !== undefined && <SpanDetails traceId={data.traceId} id={opened} />}
      </Drawer>
    </Page>
  );
}

interface WaterfallProps {
  readonly trace: TraceColumns;
  readonly tree: TraceTree;
  readonly text: string;
  readonly onOpen: (id: string) => void;
}

function Waterfall({ trace, tree, text, onOpen }: WaterfallProps): ReactNode {
  const t = useTexts();
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => fitting(unfolded(tree.rows, folded), trace, text), [tree, folded, trace, text]);
  const region = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => region.current,
    estimateSize: () => rowHeight,
    overscan: 10,
    // Whoever opens a trace that failed looks for where it did.
    initialOffset: () => offsetOfFailure(rows, trace),
    useFlushSync: false,
  });
  const fold = useCallback(
    (id: string): void =>
      setFolded((now) =>
        now.has(id) ? new Set([...now].filter((one) => one !== id)) : new Set([...now, id]),
      ),
    [],
  );
  const allFolded = folded.size > 0;
  return (
    <>
      <Group gap="xs">
        <Button
          size="compact-sm"
          variant="default"
          onClick={() =>
            setFolded(
              allFolded
                ? new Set()
                : new Set(
                    tree.rows
                      .filter(({ depth, children }) => depth === 1 && children > 0)
                      .map(({ id }) => id),
                  ),
            )
          }
        >
          {allFolded ? t('Unfold all') : t('Fold')}
        </Button>
        <Text size="sm" c="dimmed">
          {t('{count} lines; the critical path is bold', { count: number(rows.length) })}
        </Text>
      </Group>
      <div
        className="waterfall"
        ref={region}
        role="region"
        aria-label={t('Spans')}
        tabIndex={0}
        data-spans={rows.length}
      >
        <div role="list" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = rows[index] as SpanRow;
            return (
              <SpanLine
                key={row.id}
                row={row}
                trace={trace}
                tree={tree}
                top={start}
                folded={folded.has(row.id)}
                onFold={fold}
                onOpen={onOpen}
              />
            );
          })}
        </div>
      </div>
    </>
  );
}

function spanTitle(trace: TraceColumns, at: number): string {
  return `${trace.services[trace.service[at] ?? 0] ?? ''} ${shortName(trace.names[trace.name[at] ?? 0] ?? '')}`;
}

/** Where the first failed line is in view, with some of what is above it. */
function offsetOfFailure(rows: readonly SpanRow[], { failed }: TraceColumns): number {
  const first = rows.findIndex(({ at }) => failed[at] === 1);
  return Math.max(0, first - linesAbove) * rowHeight;
}

function fitting(rows: readonly SpanRow[], trace: TraceColumns, text: string): readonly SpanRow[] {
  if (text === '') return rows;
  const wanted = text.toLowerCase();
  return rows.filter(({ at }) =>
    `${trace.services[trace.service[at] ?? 0]} ${trace.names[trace.name[at] ?? 0]}`
      .toLowerCase()
      .includes(wanted),
  );
}

interface LineProps {
  readonly row: SpanRow;
  readonly trace: TraceColumns;
  readonly tree: TraceTree;
  readonly top: number;
  readonly folded: boolean;
  readonly onFold: (id: string) => void;
  readonly onOpen: (id: string) => void;
}

// While somebody scrolls, the lines that are there already are not drawn again.
const SpanLine = memo(PlainSpanLine);

function PlainSpanLine({ row, trace, tree, top, folded, onFold, onOpen }: LineProps): ReactNode {
  const t = useTexts();
  const { at, depth, children, critical, id } = row;
  const service = trace.service[at] ?? 0;
  const [startUs, tookUs] = [trace.startUs[at] ?? 0, trace.durationUs[at] ?? 0];
  const left = ((startUs - tree.startUs) / tree.totalUs) * 100;
  const width = Math.max(0.15, (tookUs / tree.totalUs) * 100);
  const failed = trace.failed[at] === 1;
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') onOpen(id);
    if ((event.key === 'ArrowLeft' && !folded) || (event.key === 'ArrowRight' && folded)) onFold(id);
  };
  return (
    <div
      role="listitem"
      className="span"
      data-span={id}
      data-failed={failed}
      data-critical={critical}
      style={{ transform: `translateY(${top}px)` }}
    >
      <div className="span-name" style={{ '--depth': Math.min(depth, 24) } as CSSProperties}>
        {children > 0 ? (
          <button
            type="button"
            className="fold"
            aria-expanded={!folded}
            aria-label={t('Fold')}
            onClick={() => onFold(id)}
          >
            {folded ? '▸' : '▾'}
          </button>
        ) : (
          <span className="fold" />
        )}
        <button
          type="button"
          className="open"
          onClick={() => onOpen(id)}
          onKeyDown={onKey}
          title={`${trace.services[service]} ${trace.names[trace.name[at] ?? 0]}`}
        >
          <span className="dot" data-color={service % 8} aria-hidden="true" />
          <strong>{trace.services[service]}</strong> {shortName(trace.names[trace.name[at] ?? 0] ?? '')}
        </button>
      </div>
      <div className="span-time">
        <div
          className="bar"
          data-color={service % 8}
          style={{ left: `${left}%`, width: `${Math.min(width, 100 - left)}%` }}
        />
        <span
          className="took"
          {...tookPlace(left, width)}
        >{`${failed ? `${t('failed')} · ` : ''}${duration(tookUs / 1000) ?? ''}`}</span>
      </div>
    </div>
  );
}

/** Beside its bar where there is room, else on it. */
function tookPlace(left: number, width: number): { style: Record<string, string>; 'data-inside': boolean } {
  if (left + width < 82) return { style: { left: `${left + width}%` }, 'data-inside': false };
  if (left > 18) return { style: { right: `${100 - left}%` }, 'data-inside': false };
  return { style: { left: `${left}%` }, 'data-inside': true };
}

interface Span {
  readonly name: string;
  readonly statusMessage: string;
  readonly failed: boolean;
  readonly durationUs: number;
  readonly timeMs: number;
  readonly scope: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly {
    readonly name: string;
    readonly timeUs: number;
    readonly attributes: Readonly<Record<string, unknown>>;
  }[];
  readonly resource: { readonly service: string; readonly attributes: Readonly<Record<string, unknown>> };
}

function SpanDetails({ traceId, id }: { readonly traceId: string; readonly id: string }): ReactNode {
  const t = useTexts();
  const { data, error } = useQuery({
    queryKey: ['span', traceId, id],
    queryFn: () => ask<Span>(`traces/${traceId}/spans/${id}`),
  });
  if (error) return <Problem error={error} />;
  if (data === undefined) return <Loading />;
  const facts = Object.entries({
    [t('Service')]: data.resource.service,
    [t('Time')]: moment(data.timeMs),
    [t('Duration')]: duration(data.durationUs / 1000),
    ...data.attributes,
    ...data.resource.attributes,
  });
  return (
    <Stack>
      <Text fw={600}>{data.name}</Text>
      {data.failed && <Text className="bad">{data.statusMessage || t('failed')}</Text>}
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
          </div>
        ))}
      </dl>
      {data.events.map((event) => (
        <div key={`${event.timeUs} ${event.name}`}>
          <Text size="sm" fw={600}>
            {event.name}
          </Text>
          <Code block>{JSON.stringify(event.attributes, undefined, 2)}</Code>
        </div>
      ))}
    </Stack>
  );
}
