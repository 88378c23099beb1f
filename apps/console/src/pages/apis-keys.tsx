import { Button, Code, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../data/http.ts';
import { useMay } from '../data/session.ts';
import { Confirm } from '../parts/confirm.tsx';
import { DataTable } from '../parts/data-table.tsx';
import { Loading } from '../parts/loading.tsx';
import { NumberField } from '../parts/number-field.tsx';
import { Empty } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { number } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';

interface Key {
  readonly id: string;
  readonly roles: readonly string[];
  readonly quota: { readonly limit: number; readonly windowMs: number } | null;
  readonly expires: string | null;
}

const windows: Readonly<Record<string, number>> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** API keys of the gateways with their quotas. */
export function ApiKeys(): ReactNode {
  const t = useTexts();
  const may = useMay('admin');
  const { data, error } = useQuery({
    queryKey: ['api-keys'],
    queryFn: () => ask<{ keys: Key[] }>('api-keys'),
  });
  if (data === undefined) return error ? <Problem error={error} /> : <Loading />;
  return (
    <Stack>
      {may && <NewKey />}
      {data.keys.length === 0 ? (
        <Empty title={t('There are no API keys.')}>
          {t('A gateway asks for them on routes with "auth: { any: [apiKey] }".')}
        </Empty>
      ) : (
        <KeyTable keys={data.keys} may={may} />
      )}
    </Stack>
  );
}

function KeyTable({ keys, may }: { readonly keys: readonly Key[]; readonly may: boolean }): ReactNode {
  const t = useTexts();
  return (
    <DataTable
      label={t('API keys')}
      rows={keys}
      keyOf={({ id }) => id}
      columns={[
        { key: 'id', title: t('Name'), cell: ({ id }) => <strong>{id}</strong>, sortBy: ({ id }) => id },
        {
          key: 'quota',
          title: t('Quota'),
          cell: ({ quota }) => (quota === null ? t('none') : quotaText(t, quota)),
        },
        { key: 'roles', title: t('Roles'), cell: ({ roles }) => roles.join(', ') || '–', wide: true },
        { key: 'expires', title: t('Until'), cell: ({ expires }) => expires ?? '–', wide: true },
        {
          key: 'revoke',
          title: t('End'),
          cell: ({ id }) =>
            may ? (
              <Confirm
                label={t('Revoke')}
                color="red"
                act={() => ask(`api-keys/${encodeURIComponent(id)}`, 'DELETE')}
                question={t('{name} opens nothing any more.', { name: id })}
              />
            ) : (
              ''
            ),
        },
      ]}
    />
  );
}

function quotaText(t: ReturnType<typeof useTexts>, { limit, windowMs }: NonNullable<Key['quota']>): string {
  const unit = Object.keys(windows).find((name) => windows[name] === windowMs);
  return `${number(limit)} / ${unit === undefined ? `${windowMs} ms` : t(unit)}`;
}

function NewKey(): ReactNode {
  const t = useTexts();
  const client = useQueryClient();
  const [id, setId] = useState('');
  const [limit, setLimit] = useState('');
  const [per, setPer] = useState('day');
  const make = useMutation({
    mutationFn: () =>
      ask<{ id: string; key: string }>('api-keys', 'POST', {
        id,
        ...(limit !== '' && { limit: Number(limit), per }),
      }),
    onSuccess: async () => {
      setId('');
      await client.invalidateQueries({ queryKey: ['api-keys'] });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Stack component="form" onSubmit={submit} gap="xs">
      <Group align="flex-end" gap="xs">
        <TextInput
          size="xs"
          label={t('Name')}
          placeholder="partner-7"
          value={id}
          onChange={(event) => setId(event.currentTarget.value)}
          required
          withAsterisk={false}
        />
        <NumberField
          size="xs"
          w={110}
          label={t('Quota')}
          placeholder={t('none')}
          value={limit}
          onChange={setLimit}
        />
        <Select
          size="xs"
          w={110}
          label={t('For each')}
          allowDeselect={false}
          data={Object.keys(windows).map((value) => ({ value, label: t(value) }))}
          value={per}
          onChange={(next) => setPer(next ?? per)}
        />
        <Button size="xs" type="submit" loading={make.isPending}>
          {t('Make a key')}
        </Button>
      </Group>
      <Problem error={make.error} />
      {make.data && (
        <div role="status" data-made={make.data.id}>
          <Text size="sm">{t('Keep it now: it is stored as a hash, and shown this once.')}</Text>
          <Code block>{make.data.key}</Code>
        </div>
      )}
    </Stack>
  );
}
