import { Button, Group, Select, Stack, Tabs, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ask } from '../data/http.ts';
import { useMay } from '../data/session.ts';
import { Confirm } from '../parts/confirm.tsx';
import { DataTable } from '../parts/data-table.tsx';
import { Differences } from '../parts/differences.tsx';
import { Loading } from '../parts/loading.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { moment } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';
import { RouteEditor } from './gateway-editor.tsx';

interface Version {
  readonly id: number;
  readonly at: string;
  readonly why: string;
  readonly routes: number;
  readonly quarantined: readonly { readonly route: string; readonly problems: readonly string[] }[];
}

interface Route {
  readonly name: string;
  readonly match: { readonly path: { readonly kind: string; readonly value: string } };
  readonly forward?: readonly { readonly upstream?: string; readonly weight?: number }[];
}

interface GatewayAnswer {
  readonly current: number;
  readonly versions: readonly Version[];
  readonly refused: readonly { readonly at: string; readonly why: string; readonly message: string }[];
  readonly routes: readonly Route[];
}

/** What the gateways serve, what they served, and changing it. */
export function GatewayPage(): ReactNode {
  const t = useTexts();
  const [chosen, setChosen] = useState<string>();
  const { data: list, error } = useQuery({
    queryKey: ['gateways'],
    queryFn: () => ask<{ gateways: { id: string }[] }>('gateways'),
  });
  const id = chosen ?? list?.gateways[0]?.id;
  return (
    <Page
      title={t('Gateway')}
      note={t(
        'Every gateway has versions of its own, kept in its memory; a restart begins with its files again.',
      )}
      side={
        list !== undefined &&
        list.gateways.length > 1 && (
          <Select
            aria-label={t('Gateway')}
            size="sm"
            data={list.gateways.map((one) => one.id)}
            value={id ?? null}
            onChange={(one) => setChosen(one ?? undefined)}
          />
        )
      }
    >
      <Problem error={error} />
      {list === undefined ? (
        !error && <Loading />
      ) : id === undefined ? (
        <Empty title={t('No gateway is registered.')}>
          {t('A gateway appears here when it registers with this control plane and has HEDDLE_ADMIN_TOKEN.')}
        </Empty>
      ) : (
        <OneGateway id={id} />
      )}
    </Page>
  );
}

function OneGateway({ id }: { readonly id: string }): ReactNode {
  const t = useTexts();
  const path = `gateways/${encodeURIComponent(id)}`;
  const { data, error } = useQuery({
    queryKey: ['gateway', id],
    queryFn: () => ask<GatewayAnswer>(path),
    refetchInterval: 5000,
  });
  const may = useMay('operator');
  if (data === undefined) return error ? <Problem error={error} /> : <Loading />;
  return (
    <Tabs defaultValue="routes" keepMounted={false}>
      <Tabs.List mb="sm">
        <Tabs.Tab value="routes">{t('Routes')}</Tabs.Tab>
        <Tabs.Tab value="versions">{t('Versions')}</Tabs.Tab>
        {may && <Tabs.Tab value="change">{t('Change')}</Tabs.Tab>}
      </Tabs.List>
      <Tabs.Panel value="routes">
        <Routes routes={data.routes} />
      </Tabs.Panel>
      <Tabs.Panel value="versions">
        <Versions data={data} path={path} />
      </Tabs.Panel>
      <Tabs.Panel value="change">
        <RouteEditor path={path} current={data.current} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Routes({ routes }: { readonly routes: readonly Route[] }): ReactNode {
  const t = useTexts();
  if (routes.length === 0) return <Empty title={t('There are no routes.')} />;
  return (
    <DataTable
      label={t('Routes')}
      rows={routes}
      keyOf={({ name }) => name}
      columns={[
        {
          key: 'name',
          title: t('Route'),
          cell: ({ name }) => <strong>{name}</strong>,
          sortBy: ({ name }) => name,
        },
        {
          key: 'match',
          title: t('Matches'),
          cell: ({ match }) => <span className="id">{`${t(match.path.kind)} ${match.path.value}`}</span>,
          sortBy: ({ match }) => match.path.value,
        },
        { key: 'to', title: t('Goes to'), cell: (route) => <span className="id">{goal(route)}</span> },
      ]}
    />
  );
}

function goal(route: Route): string {
  const shares = route.forward ?? [];
  if (shares.length === 0)
    return Object.keys(route)
      .filter((key) => key !== 'name' && key !== 'match')
      .join(' ');
  return shares
    .map(
      (share) =>
        `${JSON.stringify(share.upstream ?? share).replaceAll('"', '')}${shares.length > 1 ? ` (${share.weight ?? ''})` : ''}`,
    )
    .join(', ');
}

function Versions({ data, path }: { readonly data: GatewayAnswer; readonly path: string }): ReactNode {
  const t = useTexts();
  const [shown, setShown] = useState<number>();
  const may = useMay('operator');
  const versions = data.versions.toReversed();
  return (
    <Stack>
      <DataTable
        label={t('Versions')}
        rows={versions}
        keyOf={({ id }) => String(id)}
        columns={[
          {
            key: 'id',
            title: t('Version'),
            cell: ({ id }) => <strong>{id === data.current ? t('{id} (served)', { id }) : id}</strong>,
            sortBy: ({ id }) => id,
          },
          { key: 'at', title: t('Time'), cell: ({ at }) => moment(Date.parse(at)), sortBy: ({ at }) => at },
          { key: 'why', title: t('By'), cell: ({ why }) => why, sortBy: ({ why }) => why },
          {
            key: 'routes',
            title: t('Routes'),
            cell: ({ routes, quarantined }) =>
              quarantined.length > 0
                ? t('{count}, {bad} not served', { count: routes, bad: quarantined.length })
                : routes,
            numeric: true,
          },
          {
            key: 'diff',
            title: t('Compare'),
            cell: ({ id }) =>
              id === data.current ? (
                ''
              ) : (
                <Button size="compact-sm" variant="default" onClick={() => setShown(id)}>
                  {t('Compare with served')}
                </Button>
              ),
          },
          {
            key: 'back',
            title: t('Go back'),
            cell: ({ id }) =>
              may && id !== data.current ? (
                <Confirm
                  label={t('Roll back')}
                  asksWhy
                  act={(why) => ask(`${path}/rollback`, 'POST', { to: id, why })}
                  question={t('Version {id} is served again, as a new version.', { id })}
                />
              ) : (
                ''
              ),
          },
        ]}
      />
      {shown !== undefined && <VersionDiff path={path} from={shown} to={data.current} />}
      {data.refused.map(({ at, why, message }) => (
        <Text key={at + why} size="sm" className="bad">{`${moment(Date.parse(at))} ${why}: ${message}`}</Text>
      ))}
    </Stack>
  );
}

interface Changes {
  readonly changes: readonly { readonly at: string; readonly from?: unknown; readonly to?: unknown }[];
}

function VersionDiff({
  path,
  from,
  to,
}: {
  readonly path: string;
  readonly from: number;
  readonly to: number;
}): ReactNode {
  const t = useTexts();
  const { data, error } = useQuery({
    queryKey: ['gateway-diff', path, from, to],
    queryFn: () => ask<Changes>(`${path}/diff?from=${from}&to=${to}`),
  });
  return (
    <Stack gap="xs">
      <Group>
        <Text fw={600} size="sm">
          {t('From version {from} to the served version {to}', { from, to })}
        </Text>
      </Group>
      <Problem error={error} />
      {data && (
        <Differences of={data.changes.map(({ at, from: before, to: after }) => ({ at, before, after }))} />
      )}
    </Stack>
  );
}
