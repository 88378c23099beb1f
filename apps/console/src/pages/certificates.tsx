import { Anchor, Button, Code, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../data/http.ts';
import { useMay } from '../data/session.ts';
import { Loading } from '../parts/loading.tsx';
import { NumberField } from '../parts/number-field.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { moment } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';

interface Root {
  readonly subject: string;
  readonly issuer: string;
  readonly serialNumber: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly fingerprint: string;
  readonly names: string;
}

const dayMs = 86_400_000;
const soonMs = 90 * dayMs;

/** Whom the mesh believes, until when, and tokens by which a workload gets its first certificate. */
export function CertificatesPage(): ReactNode {
  const t = useTexts();
  const may = useMay('admin');
  const { data, error } = useQuery({
    queryKey: ['certificates'],
    queryFn: () => ask<{ served: boolean; roots: Root[]; trust?: string }>('certificates'),
    refetchInterval: 60_000,
  });
  if (data === undefined) return error ? <Problem error={error} /> : <Loading />;
  return (
    <Page
      title={t('Certificates')}
      note={t('Workloads get short-lived ones that are renewed by themselves at two thirds of their life.')}
      side={
        data.trust !== undefined && (
          <Anchor
            size="sm"
            download="roots.pem"
            href={`data:application/x-pem-file,${encodeURIComponent(data.trust)}`}
          >
            {t('Download the roots')}
          </Anchor>
        )
      }
    >
      {!data.served ? (
        <Empty title={t('This control plane serves no mesh.')}>
          {t('With --mesh DIR it has an authority, which issues certificates to the workloads.')}
        </Empty>
      ) : (
        <>
          {data.roots.map((root) => (
            <RootView key={root.fingerprint} root={root} />
          ))}
          {may && <NewToken />}
        </>
      )}
    </Page>
  );
}

function RootView({ root }: { readonly root: Root }): ReactNode {
  const t = useTexts();
  const leftMs = root.toMs - Date.now();
  const facts: Readonly<Record<string, string>> = {
    [t('Issuer')]: root.issuer || '–',
    [t('Names')]: root.names || '–',
    [t('Since')]: moment(root.fromMs),
    [t('Until')]: moment(root.toMs),
    [t('Serial number')]: root.serialNumber,
    'SHA-256': root.fingerprint,
  };
  return (
    <section className="decision" aria-label={root.subject} data-root={root.fingerprint}>
      <Group justify="space-between">
        <Title order={2}>{root.subject.replace(/^CN=/, '') || t('A root of the mesh')}</Title>
        <Text size="sm" className={leftMs < soonMs ? 'bad' : undefined}>
          {leftMs < 0 ? t('is over') : t('{days} days left', { days: Math.floor(leftMs / dayMs) })}
        </Text>
      </Group>
      <dl className="facts">
        {Object.entries(facts).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function NewToken(): ReactNode {
  const t = useTexts();
  const [id, setId] = useState('');
  const [minutes, setMinutes] = useState('10');
  const make = useMutation({
    mutationFn: () =>
      ask<{ token: string }>('certificates/tokens', 'POST', {
        spiffeId: id,
        lifeMs: Number(minutes) * 60_000,
      }),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Stack component="form" onSubmit={submit} gap="xs">
      <Title order={2}>{t('A token for a first certificate')}</Title>
      <Group align="flex-end" gap="xs">
        <TextInput
          size="xs"
          w={360}
          label={t('Identity')}
          placeholder="spiffe://cluster.local/ns/shop/sa/order"
          value={id}
          onChange={(event) => setId(event.currentTarget.value)}
        />
        <NumberField size="xs" w={120} label={t('Minutes')} value={minutes} onChange={setMinutes} />
        <Button size="xs" type="submit" loading={make.isPending} disabled={id === ''}>
          {t('Make a token')}
        </Button>
      </Group>
      <Problem error={make.error} />
      {make.data && (
        <div role="status">
          <Text size="sm">{t('It is shown this once.')}</Text>
          <Code block data-token>
            {make.data.token}
          </Code>
        </div>
      )}
    </Stack>
  );
}
