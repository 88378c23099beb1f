import { Button, Checkbox, Group, Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useMemo, useState } from 'react';
import { ask } from '../data/http.ts';
import { useLive } from '../data/live.ts';
import { DataTable } from '../parts/data-table.tsx';
import { Filter } from '../parts/filter.tsx';
import { Loading } from '../parts/loading.tsx';
import { Measured } from '../parts/measured.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { duration, number, percent } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';
import { Graph } from '../topology/graph.tsx';
import { type Edge, readableNodes, visible } from '../topology/visible.ts';
import { type Stages, WhyEmpty } from '../topology/why-empty.tsx';

interface Answer {
  readonly fromMs: number;
  readonly toMs: number;
  readonly edges: readonly Edge[];
  readonly stages: Stages;
}

interface Search {
  readonly focus?: string;
  readonly hops?: string;
  readonly text?: string;
  readonly grouped?: string;
  readonly least?: string;
  readonly minutes?: string;
  readonly most?: string;
}

/** Who calls whom, and how that goes. What is chosen is in the address. */
export function TopologyPage(): ReactNode {
  const t = useTexts();
  const search: Search = useSearch({ strict: false });
  const navigate = useNavigate();
  const paused = useLive().state === 'paused';
  const minutes = Number(search.minutes ?? 5);
  const { data, error } = useQuery({
    queryKey: ['topology', minutes],
    queryFn: () => ask<Answer>(`topology?from=${Date.now() - minutes * 60_000}&to=${Date.now()}`),
    refetchInterval: paused ? false : 5000,
    placeholderData: (before) => before,
  });
  const shown = useMemo(
    () =>
      visible(data?.edges ?? [], {
        focus: search.focus,
        hops: Number(search.hops ?? 1),
        text: search.text ?? '',
        grouped: search.grouped === 'true',
        least: Number(search.least ?? 0),
        most: Number(search.most ?? readableNodes),
      }),
    [data, search],
  );
  const go = (change: Search): void => {
    const next = Object.fromEntries(
      Object.entries({ ...search, ...change }).filter(([, value]) => value !== undefined && value !== ''),
    );
    void navigate({ to: '/topology', search: next, replace: true });
  };
  if (data === undefined) return error ? <Problem error={error} /> : <Loading />;
  const note =
    shown.hidden > 0
      ? t(
          '{shown} services and {edges} calls; {hidden} more are hidden: filter, focus or group to see them',
          { shown: shown.nodes.length, edges: shown.edges.length, hidden: shown.hidden },
        )
      : t('{shown} services, {edges} calls, from real traces of the last {minutes} min', {
          shown: shown.nodes.length,
          edges: shown.edges.length,
          minutes,
        });
  return (
    <Page title={t('Topology')} note={note}>
      <Controls
        search={search}
        go={go}
        nodes={[...new Set(data.edges.flatMap(({ client, server }) => [client, server]))].toSorted()}
      />
      <Problem error={error} />
      {shown.nodes.length === 0 ? (
        <WhyEmpty stages={data.stages} hasEdges={data.edges.length > 0} minutes={minutes} />
      ) : (
        <GraphAndTable shown={shown} focus={search.focus} onFocus={(focus) => go({ focus })} />
      )}
    </Page>
  );
}

function Controls({
  search,
  go,
  nodes,
}: {
  readonly search: Search;
  readonly go: (change: Search) => void;
  readonly nodes: readonly string[];
}): ReactNode {
  const t = useTexts();
  const minutes = ['5', '15', '60', '360', '1440'];
  return (
    <Group gap="sm" align="flex-end">
      <Filter value={search.text ?? ''} onChange={(text) => go({ text })} />
      <Select
        label={t('Focus')}
        size="xs"
        w={160}
        searchable
        clearable
        placeholder={t('everything')}
        data={[...nodes]}
        value={search.focus ?? null}
        onChange={(focus) => go({ focus: focus ?? undefined })}
      />
      {search.focus !== undefined && (
        <Select
          label={t('Hops')}
          size="xs"
          w={80}
          data={['1', '2', '3']}
          allowDeselect={false}
          value={search.hops ?? '1'}
          onChange={(hops) => go({ hops: hops ?? '1' })}
        />
      )}
      <Select
        label={t('Time')}
        size="xs"
        w={110}
        allowDeselect={false}
        data={minutes.map((value) => ({ value, label: t('{minutes} min', { minutes: value }) }))}
        value={search.minutes ?? '5'}
        onChange={(value) => go({ minutes: value ?? '5' })}
      />
      <Select
        label={t('At least')}
        size="xs"
        w={110}
        allowDeselect={false}
        data={['0', '0.1', '1', '10'].map((value) => ({ value, label: t('{rate}/s', { rate: value }) }))}
        value={search.least ?? '0'}
        onChange={(least) => go({ least: least ?? '0' })}
      />
      <Select
        label={t('At most')}
        size="xs"
        w={80}
        allowDeselect={false}
        data={[String(readableNodes), '200', '500']}
        value={search.most ?? String(readableNodes)}
        onChange={(most) => go({ most: most === String(readableNodes) ? undefined : (most ?? undefined) })}
      />
      <Checkbox
        size="sm"
        pb={6}
        label={t('Group by name')}
        checked={search.grouped === 'true'}
        onChange={(event) => go({ grouped: event.currentTarget.checked ? 'true' : undefined })}
      />
    </Group>
  );
}

function GraphAndTable({
  shown,
  focus,
  onFocus,
}: {
  readonly shown: ReturnType<typeof visible>;
  readonly focus: string | undefined;
  readonly onFocus: (focus: string | undefined) => void;
}): ReactNode {
  const t = useTexts();
  const [asTable, setAsTable] = useState(false);
  return (
    <>
      <Group gap="xs">
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => setAsTable(!asTable)}
          aria-pressed={asTable}
        >
          {asTable ? t('Show as a picture') : t('Show as a table')}
        </Button>
        {focus !== undefined && (
          <>
            <Button size="compact-sm" variant="default" onClick={() => onFocus(undefined)}>
              {t('Show everything')}
            </Button>
            <Link to={`/services?name=${encodeURIComponent(focus)}`}>
              {t('Instances of {name}', { name: focus })}
            </Link>
            <Link to={`/traces?service=${encodeURIComponent(focus)}`}>{t('Traces')}</Link>
            <Link to={`/decisions?service=${encodeURIComponent(focus)}`}>{t('Decisions')}</Link>
          </>
        )}
      </Group>
      {asTable ? (
        <EdgeTable edges={shown.edges} />
      ) : (
        <Graph nodes={shown.nodes} edges={shown.edges} focus={focus} onFocus={onFocus} />
      )}
    </>
  );
}

function EdgeTable({ edges }: { readonly edges: readonly Edge[] }): ReactNode {
  const t = useTexts();
  return (
    <DataTable
      label={t('Calls')}
      rows={edges}
      keyOf={({ client, server }) => `${client} ${server}`}
      columns={[
        { key: 'client', title: t('Caller'), cell: ({ client }) => client, sortBy: ({ client }) => client },
        { key: 'server', title: t('Called'), cell: ({ server }) => server, sortBy: ({ server }) => server },
        {
          key: 'rate',
          title: t('Requests'),
          cell: ({ perSecond }) => t('{rate}/s', { rate: number(perSecond) }),
          sortBy: ({ perSecond }) => perSecond,
          numeric: true,
        },
        {
          key: 'errors',
          title: t('Errors'),
          cell: ({ errorShare }) => <Measured value={percent(errorShare)} bad={errorShare >= 0.05} />,
          sortBy: ({ errorShare }) => errorShare,
          numeric: true,
        },
        {
          key: 'p50',
          title: 'p50',
          cell: ({ p50Ms }) => duration(p50Ms),
          sortBy: ({ p50Ms }) => p50Ms,
          numeric: true,
          wide: true,
        },
        {
          key: 'p95',
          title: 'p95',
          cell: ({ p95Ms }) => duration(p95Ms),
          sortBy: ({ p95Ms }) => p95Ms,
          numeric: true,
        },
        {
          key: 'p99',
          title: 'p99',
          cell: ({ p99Ms }) => duration(p99Ms),
          sortBy: ({ p99Ms }) => p99Ms,
          numeric: true,
          wide: true,
        },
      ]}
    />
  );
}
