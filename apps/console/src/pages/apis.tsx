import { Group, Tabs, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ask } from '../data/http.ts';
import { useMay } from '../data/session.ts';
import { DataTable } from '../parts/data-table.tsx';
import { Filter } from '../parts/filter.tsx';
import { Loading } from '../parts/loading.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { moment } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';
import { ApiKeys } from './apis-keys.tsx';
import { OneApi } from './apis-service.tsx';

interface Found {
  readonly service: string;
  readonly kind: string;
  readonly id: string;
  readonly summary: string;
}

interface Answer {
  readonly services: readonly {
    readonly service: string;
    readonly version: number;
    readonly sinceMs: number | null;
    readonly kinds: readonly string[];
    readonly operations: number;
    readonly quarantined: number;
  }[];
  readonly operations: readonly Found[];
}

type Search = Readonly<Partial<Record<'service' | 'operation' | 'q' | 'tab', string>>>;

/** What every service promises: found by itself, searched, read, and tried. */
export function ApisPage(): ReactNode {
  const t = useTexts();
  const search: Search = useSearch({ strict: false });
  const navigate = useNavigate();
  const mayKeys = useMay('operator');
  const go = (next: Search): void =>
    void navigate({ to: '/apis', search: Object.fromEntries(Object.entries(next).filter(([, one]) => one)) });
  if (search.service !== undefined)
    return (
      <OneApi
        service={search.service}
        operation={search.operation}
        open={(operation) => go({ service: search.service, operation })}
      />
    );
  return (
    <Page
      title={t('APIs')}
      note={t('Collected from what registers: OpenAPI, AsyncAPI, and descriptors by gRPC reflection.')}
    >
      <Tabs
        value={search.tab ?? 'services'}
        onChange={(tab) => go({ tab: tab ?? undefined })}
        keepMounted={false}
      >
        <Tabs.List mb="sm">
          <Tabs.Tab value="services">{t('Services')}</Tabs.Tab>
          {mayKeys && <Tabs.Tab value="keys">{t('API keys')}</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="services">
          <Services search={search} go={go} />
        </Tabs.Panel>
        <Tabs.Panel value="keys">
          <ApiKeys />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Services({
  search,
  go,
}: {
  readonly search: Search;
  readonly go: (next: Search) => void;
}): ReactNode {
  const t = useTexts();
  const { data, error } = useQuery({
    queryKey: ['contracts', search.q ?? ''],
    queryFn: () => ask<Answer>(`contracts?q=${encodeURIComponent(search.q ?? '')}`),
    placeholderData: (before) => before,
    refetchInterval: 10_000,
  });
  if (data === undefined) return error ? <Problem error={error} /> : <Loading />;
  if (data.services.length === 0)
    return (
      <Empty title={t('No service has told its contract yet.')}>
        {t(
          'A service that is made with httpApi, typed topics or gRPC reflection appears here when it registers.',
        )}
      </Empty>
    );
  return (
    <>
      <Group mb="sm">
        <Filter value={search.q ?? ''} onChange={(q) => go({ q })} placeholder={t('Search operations')} />
      </Group>
      <Problem error={error} />
      {(search.q ?? '') === '' ? (
        <ServiceTable services={data.services} go={go} />
      ) : (
        <OperationTable operations={data.operations} go={go} />
      )}
    </>
  );
}

function ServiceTable({
  services,
  go,
}: {
  readonly services: Answer['services'];
  readonly go: (next: Search) => void;
}): ReactNode {
  const t = useTexts();
  return (
    <DataTable
      label={t('Services')}
      rows={services}
      keyOf={({ service }) => service}
      onOpen={({ service }) => go({ service })}
      columns={[
        {
          key: 'service',
          title: t('Service'),
          cell: ({ service }) => <strong>{service}</strong>,
          sortBy: ({ service }) => service,
        },
        {
          key: 'kinds',
          title: t('Kind'),
          cell: ({ kinds }) => (
            <span className="chips">
              {kinds.map((kind) => (
                <span key={kind} className="chip" data-kind={kind}>
                  {t(kind)}
                </span>
              ))}
            </span>
          ),
        },
        {
          key: 'operations',
          title: t('Operations'),
          cell: ({ operations }) => operations,
          sortBy: ({ operations }) => operations,
          numeric: true,
        },
        {
          key: 'version',
          title: t('Version'),
          cell: ({ version }) => version,
          sortBy: ({ version }) => version,
          numeric: true,
        },
        {
          key: 'since',
          title: t('Since'),
          cell: ({ sinceMs }) => (sinceMs === null ? '–' : moment(sinceMs)),
          sortBy: ({ sinceMs }) => sinceMs,
          wide: true,
        },
        {
          key: 'quarantined',
          title: t('In quarantine'),
          cell: ({ quarantined }) => (quarantined > 0 ? <span className="bad">{quarantined}</span> : '–'),
          sortBy: ({ quarantined }) => quarantined,
          numeric: true,
        },
      ]}
    />
  );
}

function OperationTable({
  operations,
  go,
}: {
  readonly operations: readonly Found[];
  readonly go: (next: Search) => void;
}): ReactNode {
  const t = useTexts();
  if (operations.length === 0) return <Empty title={t('No operation has these words.')} />;
  return (
    <>
      <Text size="sm" c="dimmed">
        {t('{count} operations', { count: operations.length })}
      </Text>
      <DataTable
        label={t('Operations')}
        rows={operations}
        keyOf={({ service, id }) => `${service} ${id}`}
        onOpen={({ service, id }) => go({ service, operation: id })}
        columns={[
          {
            key: 'id',
            title: t('Operation'),
            cell: ({ id }) => <strong>{id}</strong>,
            sortBy: ({ id }) => id,
          },
          {
            key: 'service',
            title: t('Service'),
            cell: ({ service }) => service,
            sortBy: ({ service }) => service,
          },
          { key: 'summary', title: t('Summary'), cell: ({ summary }) => summary, wide: true },
        ]}
      />
    </>
  );
}
