import { Button, Group, Select, SimpleGrid, Textarea, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useMemo, useState } from 'react';
import { ask } from '../data/http.ts';
import { useLive } from '../data/live.ts';
import { Chart } from '../parts/chart.tsx';
import { Loading } from '../parts/loading.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { number } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';

type Search = Readonly<Partial<Record<'query' | 'minutes' | 'service', string>>>;

interface Matrix {
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly values: readonly (readonly [number, string])[];
    }[];
  };
}

/** Rate, errors and duration without any work, and a line for PromQL. */
export function MetricsPage(): ReactNode {
  const t = useTexts();
  const search: Search = useSearch({ strict: false });
  const navigate = useNavigate();
  const { overview } = useLive();
  const [query, setQuery] = useState(search.query ?? '');
  const minutes = Number(search.minutes ?? 15);
  const go = (change: Search): void => {
    const next = Object.fromEntries(
      Object.entries({ ...search, ...change }).filter(([, value]) => value !== undefined && value !== ''),
    );
    void navigate({ to: '/metrics-explorer', search: next, replace: true });
  };
  const job = search.service === undefined ? '' : `job=${JSON.stringify(search.service)}`;
  return (
    <Page
      title={t('Metrics')}
      side={
        <>
          <Select
            aria-label={t('Service')}
            placeholder={t('all services')}
            size="xs"
            w={150}
            searchable
            clearable
            data={overview?.services.map(({ name }) => name) ?? []}
            value={search.service ?? null}
            onChange={(service) => go({ service: service ?? undefined })}
          />
          <Select
            aria-label={t('Time')}
            size="xs"
            w={110}
            allowDeselect={false}
            data={['5', '15', '60', '120'].map((value) => ({
              value,
              label: t('{minutes} min', { minutes: value }),
            }))}
            value={String(minutes)}
            onChange={(value) => go({ minutes: value ?? '15' })}
          />
        </>
      }
    >
      <Panels job={job} minutes={minutes} />
      <section aria-labelledby="promql">
        <Title order={2} id="promql" mb="xs">
          PromQL
        </Title>
        <Group align="flex-end" gap="sm" mb="sm">
          <Textarea
            data-filter
            aria-label="PromQL"
            autosize
            minRows={1}
            maxRows={6}
            style={{ flex: 1 }}
            ff="monospace"
            placeholder="sum by (job) (rate(rpc_server_calls_total[1m]))"
            value={query}
            onChange={(event) => setQuery(event.currentTarget.value)}
          />
          <Button size="sm" onClick={() => go({ query })}>
            {t('Show')}
          </Button>
        </Group>
        {search.query !== undefined && <Panel title={search.query} minutes={minutes} query={search.query} />}
      </section>
    </Page>
  );
}

function Panel({
  title,
  query,
  minutes,
}: {
  readonly title: string;
  readonly query: string;
  readonly minutes: number;
}): ReactNode {
  const t = useTexts();
  const paused = useLive().state === 'paused';
  const { data, error } = useQuery({
    queryKey: ['metrics', query, minutes],
    queryFn: async () => seriesOf(await ask<Matrix>(`/api/v1/query_range?${range(query, minutes)}`)),
    refetchInterval: paused ? false : 10_000,
    placeholderData: (before) => before,
  });
  const last = useMemo(
    () =>
      data?.lines
        .map(({ name, values }) => `${name} ${number(values.findLast((value) => value !== null) ?? 0)}`)
        .join(', ') ?? '',
    [data],
  );
  return (
    <section className="panel" aria-label={title}>
      <h3>{title}</h3>
      <Problem error={error} />
      {data === undefined ? (
        !error && <Loading />
      ) : !data.lines.some(({ values }) => values.some((value) => value !== null)) ? (
        <Empty title={t('Nothing was measured in this time.')} />
      ) : (
        <Chart label={`${title}: ${last}`} {...data} />
      )}
    </section>
  );
}

function range(query: string, minutes: number): string {
  const end = Math.floor(Date.now() / 1000);
  const step = Math.max(10, Math.round((minutes * 60) / 180));
  return new URLSearchParams({
    query,
    start: String(end - minutes * 60),
    end: String(end),
    step: String(step),
  }).toString();
}

/** Series share their times; where one has no value there is a gap. */
function seriesOf({ data }: Matrix): {
  times: readonly number[];
  lines: readonly { name: string; values: readonly (number | null)[] }[];
} {
  const times = [...new Set(data.result.flatMap(({ values }) => values.map(([time]) => time)))].toSorted(
    (a, b) => a - b,
  );
  const lines = data.result.slice(0, 50).map(({ metric, values }) => {
    const at = new Map(values.map(([time, value]) => [time, finite(value)] as const));
    const { __name__: name, ...labels } = metric;
    const told = Object.values(labels).join(' ');
    return { name: told || name || 'value', values: times.map((time) => at.get(time) ?? null) };
  });
  return { times, lines };
}

/** A quantile of nothing is no number. */
function finite(value: string): number | null {
  const read = Number(value);
  return Number.isFinite(read) ? read : null;
}

function Panels({ job, minutes }: { readonly job: string; readonly minutes: number }): ReactNode {
  const t = useTexts();
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      <Panel
        title={t('Requests a second')}
        minutes={minutes}
        query={`sum by (job) (rate(http_requests_total{${job}}[1m])) or sum by (job) (rate(rpc_server_calls_total{${job}}[1m]))`}
      />
      <Panel
        title={t('Failed a second')}
        minutes={minutes}
        query={`sum by (job) (rate(http_requests_total{${job}${job && ','}status_code=~"5.."}[1m])) or sum by (job) (rate(rpc_server_calls_total{${job}${job && ','}code=~"unknown|internal|unavailable|data_loss|deadline_exceeded|unimplemented"}[1m]))`}
      />
      <Panel
        title={t('95th percentile in seconds')}
        minutes={minutes}
        query={`histogram_quantile(0.95, sum by (job, le) (rate(rpc_server_duration_seconds_bucket{${job}}[1m]))) or histogram_quantile(0.95, sum by (job, le) (rate(http_request_duration_seconds_bucket{${job}}[1m])))`}
      />
      <Panel
        title={t('CPU cores')}
        minutes={minutes}
        query={`sum by (job) (rate(process_cpu_seconds_total{${job}}[1m]))`}
      />
    </SimpleGrid>
  );
}
