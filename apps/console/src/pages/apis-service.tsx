import { Anchor, Select, Stack, Tabs, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { ask } from '../data/http.ts';
import { useMay } from '../data/session.ts';
import { Confirm } from '../parts/confirm.tsx';
import { DataTable } from '../parts/data-table.tsx';
import { Loading } from '../parts/loading.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { moment } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';
import { shortName } from '../texts/short-name.ts';
import { OneOperation } from './apis-try.tsx';

interface Change {
  readonly level: string;
  readonly rule: string;
  readonly operations: readonly string[];
  readonly at: string;
  readonly message: string;
}

interface Entry {
  readonly service: string;
  readonly operations: readonly { readonly kind: string; readonly id: string; readonly summary: string }[];
  readonly versions: readonly {
    readonly number: number;
    readonly serviceVersion: string;
    readonly sinceMs: number;
    readonly changes: readonly Change[];
    readonly approvedBy?: string;
  }[];
  readonly quarantined: readonly {
    readonly hash: string;
    readonly serviceVersion: string;
    readonly instances: readonly string[];
    readonly atMs: number;
    readonly changes: readonly Change[];
    readonly consumers: readonly { readonly service: string; readonly known: string }[];
  }[];
  readonly uses: readonly {
    readonly consumer: string;
    readonly operations?: readonly string[];
    readonly known: string;
  }[];
}

interface OneApiProps {
  readonly service: string;
  readonly operation: string | undefined;
  readonly open: (operation: string) => void;
}

/** What one service promises. */
export function OneApi({ service, operation, open }: OneApiProps): ReactNode {
  const t = useTexts();
  const { data, error } = useQuery({
    queryKey: ['contract', service],
    queryFn: () => ask<Entry>(`contracts/${encodeURIComponent(service)}`),
    refetchInterval: 15_000,
  });
  const newest = data?.versions.at(-1);
  return (
    <Page
      title={service}
      note={
        newest === undefined
          ? undefined
          : t('Version {version} of its contract, since {time}', {
              version: newest.number,
              time: moment(newest.sinceMs),
            })
      }
      side={
        <>
          <Anchor component={Link} to="/apis" size="sm">
            {t('All APIs')}
          </Anchor>
          <Anchor href={`/api/catalogue/${encodeURIComponent(service)}/contract`} download size="sm">
            {t('Download the contract')}
          </Anchor>
        </>
      }
    >
      <Problem error={error} />
      {data === undefined ? (
        !error && <Loading />
      ) : (
        <Tabs defaultValue={data.quarantined.length > 0 ? 'quarantine' : 'operations'} keepMounted={false}>
          <Tabs.List mb="sm">
            <Tabs.Tab value="operations">{t('Operations')}</Tabs.Tab>
            <Tabs.Tab value="versions">{t('Versions')}</Tabs.Tab>
            <Tabs.Tab value="consumers">{t('Consumers')}</Tabs.Tab>
            {data.quarantined.length > 0 && <Tabs.Tab value="quarantine">{t('In quarantine')}</Tabs.Tab>}
          </Tabs.List>
          <Tabs.Panel value="operations">
            <Operations entry={data} operation={operation} open={open} />
          </Tabs.Panel>
          <Tabs.Panel value="versions">
            <Versions entry={data} />
          </Tabs.Panel>
          <Tabs.Panel value="consumers">
            <Consumers entry={data} />
          </Tabs.Panel>
          <Tabs.Panel value="quarantine">
            <Quarantine entry={data} />
          </Tabs.Panel>
        </Tabs>
      )}
    </Page>
  );
}

function Operations({
  entry,
  operation,
  open,
}: { readonly entry: Entry } & Pick<OneApiProps, 'operation' | 'open'>): ReactNode {
  const t = useTexts();
  const shown = operation ?? entry.operations[0]?.id;
  if (shown === undefined) return <Empty title={t('The contract has no operation.')} />;
  return (
    <div className="apis">
      <nav aria-label={t('Operations')}>
        {entry.operations.map(({ id, kind }) => (
          <button
            key={id}
            type="button"
            data-operation={id}
            aria-current={id === shown ? 'true' : undefined}
            onClick={() => open(id)}
            title={id}
          >
            <span className="chip" data-kind={kind}>
              {t(kind)}
            </span>
            {kind === 'grpc' ? shortName(id) : id}
          </button>
        ))}
      </nav>
      <OneOperation key={shown} service={entry.service} id={shown} />
    </div>
  );
}

function ChangeList({ changes }: { readonly changes: readonly Change[] }): ReactNode {
  const t = useTexts();
  if (changes.length === 0) return <Text size="sm">{t('Nothing differs.')}</Text>;
  return (
    <ul className="changes" data-changes={changes.length}>
      {changes.map(({ level, rule, operations, at, message }) => (
        <li key={`${rule} ${at} ${message}`} data-level={level}>
          <strong>{t(level)}</strong>{' '}
          {[operations.join(', '), at, message].filter((part) => part !== '').join(': ')}{' '}
          <span className="id">{rule}</span>
        </li>
      ))}
    </ul>
  );
}

function Versions({ entry }: { readonly entry: Entry }): ReactNode {
  const t = useTexts();
  const numbers = entry.versions.map(({ number }) => String(number)).toReversed();
  const [from, setFrom] = useState(numbers[1] ?? numbers[0] ?? '1');
  const to = numbers[0] ?? '1';
  const { data, error } = useQuery({
    queryKey: ['contract-diff', entry.service, from, to],
    queryFn: () =>
      ask<{ changes: Change[] }>(`contracts/${encodeURIComponent(entry.service)}/diff?from=${from}&to=${to}`),
  });
  return (
    <Stack>
      <DataTable
        label={t('Versions')}
        rows={entry.versions.toReversed()}
        keyOf={({ number }) => String(number)}
        columns={[
          { key: 'number', title: t('Version'), cell: ({ number }) => <strong>{number}</strong> },
          { key: 'since', title: t('Since'), cell: ({ sinceMs }) => moment(sinceMs) },
          {
            key: 'code',
            title: t('Of the code'),
            cell: ({ serviceVersion }) => serviceVersion || '–',
            wide: true,
          },
          {
            key: 'changes',
            title: t('Changes'),
            cell: ({ changes }) => changes.length,
            numeric: true,
          },
          { key: 'by', title: t('Approved by'), cell: ({ approvedBy }) => approvedBy ?? '–', wide: true },
        ]}
      />
      {numbers.length > 1 && (
        <Select
          label={t('Compare the newest with')}
          size="xs"
          w={180}
          allowDeselect={false}
          data={numbers.slice(1)}
          value={from}
          onChange={(next) => setFrom(next ?? from)}
        />
      )}
      <Problem error={error} />
      {numbers.length > 1 && data && <ChangeList changes={data.changes} />}
    </Stack>
  );
}

function Consumers({ entry }: { readonly entry: Entry }): ReactNode {
  const t = useTexts();
  const rows = new Map<string, { consumer: string; known: string; operations: Set<string> }>();
  for (const { consumer, known, operations = [] } of entry.uses) {
    const row = rows.get(`${consumer} ${known}`) ?? { consumer, known, operations: new Set<string>() };
    for (const one of operations) row.operations.add(one);
    rows.set(`${consumer} ${known}`, row);
  }
  if (rows.size === 0)
    return (
      <Empty title={t('Nobody is known to use it.')}>
        {t('Consumers are those that declare it, and those whose calls are in the traces of the last days.')}
      </Empty>
    );
  return (
    <DataTable
      label={t('Consumers')}
      rows={[...rows.values()]}
      keyOf={({ consumer, known }) => `${consumer} ${known}`}
      columns={[
        {
          key: 'consumer',
          title: t('Consumer'),
          cell: ({ consumer }) => <strong>{consumer}</strong>,
          sortBy: ({ consumer }) => consumer,
        },
        {
          key: 'known',
          title: t('Known by'),
          cell: ({ known }) => (known === 'calls' ? t('calls that were seen') : t('its own declaration')),
        },
        {
          key: 'operations',
          title: t('Operations'),
          cell: ({ operations }) => [...operations].join(', ') || t('not known which'),
        },
      ]}
    />
  );
}

function Quarantine({ entry }: { readonly entry: Entry }): ReactNode {
  const t = useTexts();
  const may = useMay('admin');
  return (
    <Stack>
      {entry.quarantined.map((record) => (
        <section key={record.hash} className="decision" data-quarantined={record.hash}>
          <Text fw={600}>
            {t('A contract that breaks others is kept out since {time}', { time: moment(record.atMs) })}
          </Text>
          <Text size="sm">
            {t('Instances: {instances}. Breaks: {consumers}.', {
              instances: record.instances.join(', '),
              consumers: record.consumers.map(({ service }) => service).join(', ') || '–',
            })}
          </Text>
          <ChangeList changes={record.changes} />
          {may && (
            <Confirm
              label={t('Approve')}
              color="red"
              asksWhy
              act={(why) =>
                ask(`contracts/${encodeURIComponent(entry.service)}/approve`, 'POST', {
                  hash: record.hash,
                  why,
                })
              }
              question={t('Its instances get calls, and those who use what it breaks will fail.')}
            />
          )}
        </section>
      ))}
    </Stack>
  );
}
