import { Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ask } from '../data/http.ts';
import { useMay } from '../data/session.ts';
import { Confirm } from '../parts/confirm.tsx';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Loading } from '../parts/loading.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { State } from '../parts/state.tsx';
import { duration, moment } from '../texts/format.ts';
import { type Translate, useTexts } from '../texts/language.tsx';

interface Rule {
  readonly name: string;
  readonly query: string;
  readonly type: string;
  readonly state?: string;
  readonly duration?: number;
  readonly health: string;
  readonly lastError?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

interface Silence {
  readonly id: string;
  readonly comment: string;
  readonly createdBy: string;
  readonly endsAt: string;
  readonly matchers: readonly { readonly name: string; readonly value: string }[];
  readonly status: { readonly state: string };
}

interface Answer {
  readonly rules: {
    readonly data: { readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[] };
  };
  readonly alerts: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    readonly startsAt: string;
    readonly status: { readonly state: string };
  }[];
  readonly silences: readonly Silence[];
}

/** Rules with their states, what fires, and what is silenced. */
export function AlertsPage(): ReactNode {
  const t = useTexts();
  const { data, error } = useQuery({
    queryKey: ['alerts'],
    queryFn: () => ask<Answer>('alerts'),
    refetchInterval: 5000,
  });
  if (data === undefined)
    return <Page title={t('Alerts')}>{error ? <Problem error={error} /> : <Loading />}</Page>;
  const silences = data.silences.filter(({ status }) => status.state !== 'expired');
  return (
    <Page title={t('Alerts')}>
      <section aria-labelledby="firing">
        <Title order={2} id="firing" mb="xs">
          {t('Firing')}
        </Title>
        <Firing alerts={data.alerts} />
      </section>
      <section aria-labelledby="rules">
        <Title order={2} id="rules" mb="xs">
          {t('Rules')}
        </Title>
        <DataTable
          label={t('Rules')}
          rows={data.rules.data.groups.flatMap(({ name, rules }) =>
            rules.map((rule) => ({ ...rule, group: name })),
          )}
          keyOf={({ group, name, query }) => `${group} ${name} ${query}`}
          columns={ruleColumns(t)}
        />
      </section>
      {silences.length > 0 && (
        <section aria-labelledby="silences">
          <Title order={2} id="silences" mb="xs">
            {t('Silences')}
          </Title>
          <Silences silences={silences} />
        </section>
      )}
    </Page>
  );
}

function Firing({ alerts }: Pick<Answer, 'alerts'>): ReactNode {
  const t = useTexts();
  const may = useMay('operator');
  if (alerts.length === 0) return <Empty title={t('No alert fires.')} />;
  return (
    <Stack gap="xs">
      {alerts.map(({ labels, annotations, startsAt, status }) => (
        <div className="decision" key={JSON.stringify(labels)} data-alert={labels['alertname']}>
          <Text size="sm">
            <State of={status.state === 'suppressed' ? 'silenced' : 'firing'} />{' '}
            <strong>{labels['alertname']}</strong>{' '}
            {annotations['summary'] ?? annotations['description'] ?? ''}
          </Text>
          <Text size="xs" c="dimmed">{`${moment(Date.parse(startsAt))} · ${Object.entries(labels)
            .filter(([name]) => name !== 'alertname')
            .map(([name, value]) => `${name}=${value}`)
            .join(' ')}`}</Text>
          {may && (
            <Group mt="xs">
              <Confirm
                label={t('Silence for an hour')}
                asksWhy
                act={(why) =>
                  ask('silences', 'POST', { name: labels['alertname'], minutes: 60, why: why || '-' })
                }
                question={t('Nobody is told of {name} for an hour.', { name: labels['alertname'] ?? '' })}
              />
            </Group>
          )}
        </div>
      ))}
    </Stack>
  );
}

function ruleColumns(t: Translate): readonly Column<Rule & { readonly group: string }>[] {
  return [
    {
      key: 'name',
      title: t('Rule'),
      cell: ({ name }) => <strong>{name}</strong>,
      sortBy: ({ name }) => name,
    },
    {
      key: 'state',
      title: t('State'),
      cell: ({ state, health, lastError }) =>
        health === 'err' ? (
          <span className="bad">{lastError}</span>
        ) : state === undefined ? (
          '–'
        ) : (
          <State of={state} />
        ),
      sortBy: ({ state }) => state ?? '',
    },
    {
      key: 'query',
      title: t('Expression'),
      cell: ({ query }) => <span className="line">{query}</span>,
      wide: true,
    },
    {
      key: 'for',
      title: t('For'),
      cell: ({ duration: seconds = 0 }) => (seconds === 0 ? t('at once') : duration(seconds * 1000)),
      sortBy: ({ duration: seconds }) => seconds ?? null,
      numeric: true,
    },
    {
      key: 'severity',
      title: t('Severity'),
      cell: ({ labels }) => labels?.['severity'] ?? '–',
      sortBy: ({ labels }) => labels?.['severity'] ?? '',
    },
  ];
}

function Silences({ silences }: { readonly silences: readonly Silence[] }): ReactNode {
  const t = useTexts();
  const may = useMay('operator');
  return (
    <DataTable
      label={t('Silences')}
      rows={silences}
      keyOf={({ id }) => id}
      columns={[
        {
          key: 'what',
          title: t('What'),
          cell: ({ matchers }) => matchers.map(({ name, value }) => `${name}=${value}`).join(', '),
        },
        { key: 'by', title: t('Who'), cell: ({ createdBy }) => createdBy },
        { key: 'why', title: t('Reason'), cell: ({ comment }) => comment },
        { key: 'until', title: t('Until'), cell: ({ endsAt }) => moment(Date.parse(endsAt)) },
        {
          key: 'end',
          title: t('End'),
          cell: ({ id }) =>
            may ? (
              <Confirm
                label={t('End')}
                act={() => ask(`silences/${encodeURIComponent(id)}`, 'DELETE')}
                question={t('The alert is told of again.')}
              />
            ) : (
              ''
            ),
        },
      ]}
    />
  );
}
