import { Anchor, Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useMemo, useState } from 'react';
import { type ComparedPlace, comparedTraces, type Spent } from '../data/compare.ts';
import { ask } from '../data/http.ts';
import { type TraceColumns, treeOf } from '../data/trace.ts';
import { DataTable } from '../parts/data-table.tsx';
import { Loading } from '../parts/loading.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { duration, moment, number } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';

type Search = Readonly<Partial<Record<'a' | 'b', string>>>;

/** Two traces laid over each other: where one was longer, failed, or never was. */
export function ComparePage(): ReactNode {
  const t = useTexts();
  const { a = '', b = '' }: Search = useSearch({ strict: false });
  const [first, second] = [useTrace(a), useTrace(b)];
  const rows = useMemo(
    () => first.data && second.data && comparedTraces(first.data, second.data),
    [first.data, second.data],
  );
  return (
    <Page title={t('Compare traces')}>
      <Choice key={`${a} ${b}`} a={a} b={b} />
      <Problem error={first.error ?? second.error} />
      {rows === undefined ? (
        a !== '' && b !== '' ? (
          !first.error && !second.error && <Loading />
        ) : (
          <Empty title={t('Two traces are needed.')}>
            {t('Open a trace and press "Compare", or paste two trace ids.')}
          </Empty>
        )
      ) : (
        <>
          <div className="compare">
            {[first.data, second.data].map(
              (trace, at) => trace && <Facts key={at === 0 ? 'a' : 'b'} trace={trace} />,
            )}
          </div>
          <Places rows={rows} />
        </>
      )}
    </Page>
  );
}

function useTrace(id: string): { data: TraceColumns | undefined; error: Error | null } {
  return useQuery({
    queryKey: ['trace', id],
    queryFn: () => ask<TraceColumns>(`traces/${encodeURIComponent(id)}`),
    staleTime: 60_000,
    enabled: id !== '',
  });
}

function Choice({ a, b }: { readonly a: string; readonly b: string }): ReactNode {
  const t = useTexts();
  const navigate = useNavigate();
  const [ids, setIds] = useState({ a, b });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void navigate({ to: '/compare', search: { a: ids.a.trim(), b: ids.b.trim() } });
  };
  return (
    <Stack gap="xs">
      <Group component="form" onSubmit={submit} align="flex-end" gap="xs">
        <TextInput
          size="xs"
          w={290}
          label={t('First trace')}
          value={ids.a}
          onChange={(event) => setIds({ ...ids, a: event.currentTarget.value })}
        />
        <TextInput
          size="xs"
          w={290}
          label={t('Second trace')}
          value={ids.b}
          onChange={(event) => setIds({ ...ids, b: event.currentTarget.value })}
        />
        <Button size="xs" type="submit" variant="default">
          {t('Compare')}
        </Button>
      </Group>
      {a !== '' && b === '' && <Others of={a} />}
    </Stack>
  );
}

interface Summary {
  readonly traceId: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly service: string;
  readonly name: string;
  readonly failed: number;
}

/** Traces of the same operation, to be compared with one. */
function Others({ of }: { readonly of: string }): ReactNode {
  const t = useTexts();
  const { data: trace } = useTrace(of);
  const root = trace && treeOf(trace).rows[0]?.at;
  const [service, name] =
    trace === undefined || root === undefined
      ? ['', '']
      : [trace.services[trace.service[root] ?? 0] ?? '', trace.names[trace.name[root] ?? 0] ?? ''];
  const { data } = useQuery({
    queryKey: ['traces-like', service, name],
    queryFn: () =>
      ask<{ traces: Summary[] }>(
        `traces?service=${encodeURIComponent(service)}&operation=${encodeURIComponent(name)}&limit=20`,
      ),
    enabled: name !== '',
  });
  const others = data?.traces.filter(({ traceId }) => traceId !== of) ?? [];
  if (others.length === 0) return null;
  return (
    <section aria-label={t('Traces of the same operation')} data-others={others.length}>
      <Text size="sm" fw={600}>
        {t('Traces of the same operation')}
      </Text>
      <ul className="changes">
        {others.map(({ traceId, startMs, durationMs, failed }) => (
          <li key={traceId}>
            <Anchor component={Link} to={`/compare?a=${of}&b=${traceId}`} size="sm">
              {`${moment(startMs)} · ${duration(durationMs) ?? ''}`}
            </Anchor>{' '}
            {failed > 0 && <span className="bad">{t('failed')}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Facts({ trace }: { readonly trace: TraceColumns }): ReactNode {
  const t = useTexts();
  const { startUs, totalUs } = treeOf(trace);
  const failed = trace.failed.reduce((sum, one) => sum + one, 0);
  return (
    <div>
      <Anchor component={Link} to={`/traces/${trace.traceId}`} size="sm" className="id">
        {trace.traceId}
      </Anchor>
      <Text size="sm">
        {[
          moment(startUs / 1000),
          duration(totalUs / 1000),
          t('{count} spans', { count: number(trace.id.length) }),
        ].join(' · ')}
        {failed > 0 && <span className="bad">{` · ${t('{count} failed', { count: failed })}`}</span>}
      </Text>
    </div>
  );
}

function Places({ rows }: { readonly rows: readonly ComparedPlace[] }): ReactNode {
  const t = useTexts();
  const spent = (one: Spent | undefined): ReactNode =>
    one === undefined ? (
      <span className="none">{t('not there')}</span>
    ) : (
      <span className={one.failed > 0 ? 'bad' : undefined}>
        {`${duration(one.totalUs / 1000) ?? ''}${one.count > 1 ? ` (${one.count}×)` : ''}${one.failed > 0 ? ` · ${t('failed')}` : ''}`}
      </span>
    );
  const more = ({ a, b }: ComparedPlace): number => (b?.totalUs ?? 0) - (a?.totalUs ?? 0);
  return (
    <DataTable
      label={t('Compare traces')}
      rows={rows}
      keyOf={({ key }) => key}
      columns={[
        {
          key: 'place',
          title: t('Operation'),
          cell: ({ service, name, depth }) => (
            <span style={{ paddingLeft: Math.min(depth, 16) * 14 }}>
              <strong>{service}</strong> {name}
            </span>
          ),
        },
        {
          key: 'a',
          title: t('First trace'),
          cell: ({ a }) => spent(a),
          sortBy: ({ a }) => a?.totalUs ?? null,
          numeric: true,
        },
        {
          key: 'b',
          title: t('Second trace'),
          cell: ({ b }) => spent(b),
          sortBy: ({ b }) => b?.totalUs ?? null,
          numeric: true,
        },
        {
          key: 'more',
          title: t('Difference'),
          cell: (row) =>
            `${more(row) > 0 ? '+' : more(row) < 0 ? '−' : ''}${duration(Math.abs(more(row)) / 1000) ?? ''}`,
          sortBy: more,
          numeric: true,
        },
      ]}
    />
  );
}
