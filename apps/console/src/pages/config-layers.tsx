import { Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ask } from '../data/http.ts';
import { DataTable } from '../parts/data-table.tsx';
import { Loading } from '../parts/loading.tsx';
import { Empty } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { useTexts } from '../texts/language.tsx';

interface Origin {
  readonly layer: string;
  readonly where?: string;
  readonly version?: number;
}

interface Told {
  readonly id: string;
  readonly source?: string;
  readonly settings: readonly { readonly key: string; readonly from: Origin }[];
  readonly error: string | null;
}

/** Which layer has given each running instance its values: a default, a file, the environment, or the config centre. */
export function Layers({ service }: { readonly service: string }): ReactNode {
  const t = useTexts();
  const { data, error } = useQuery({
    queryKey: ['origins', service],
    queryFn: () => ask<{ instances: Told[] }>(`origins/${encodeURIComponent(service)}`),
    refetchInterval: 5000,
  });
  if (data === undefined) return error ? <Problem error={error} /> : <Loading />;
  if (data.instances.length === 0)
    return (
      <Empty title={t('No instance of {service} can be asked.', { service })}>
        {t('Instances tell where their values come from at the admin address that they register.')}
      </Empty>
    );
  const rows = data.instances.flatMap(({ id, settings }) => settings.map((one) => ({ id, ...one })));
  return (
    <Stack gap="xs">
      {data.instances
        .filter(({ error: problem }) => problem !== null)
        .map(({ id, error: problem }) => (
          <Text key={id} size="sm" className="bad">{`${id}: ${problem}`}</Text>
        ))}
      <DataTable
        label={t('Layers')}
        rows={rows}
        keyOf={({ id, key }) => `${id} ${key}`}
        columns={[
          {
            key: 'id',
            title: t('Instance'),
            cell: ({ id }) => <span className="id">{id}</span>,
            sortBy: ({ id }) => id,
          },
          {
            key: 'key',
            title: t('Key'),
            cell: ({ key }) => <strong>{key}</strong>,
            sortBy: ({ key }) => key,
          },
          {
            key: 'layer',
            title: t('Layer'),
            cell: ({ from }) => (
              <span className="chip" data-layer={from.layer}>
                {t(`layer ${from.layer}`)}
              </span>
            ),
            sortBy: ({ from }) => from.layer,
          },
          {
            key: 'where',
            title: t('Comes from'),
            cell: ({ from }) =>
              [from.where, from.version !== undefined && t('Version {version}', { version: from.version })]
                .filter(Boolean)
                .join(' · ') || '–',
          },
        ]}
      />
    </Stack>
  );
}
