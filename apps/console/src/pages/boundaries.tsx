import { Button, Group, SegmentedControl, Stack, Text, Textarea, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ask } from '../data/http.ts';
import { DataTable } from '../parts/data-table.tsx';
import { NumberField } from '../parts/number-field.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { number, percent } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';

interface Report {
  readonly name: string;
  readonly summary: {
    readonly capabilities: number;
    readonly services: number;
    readonly coupledPairs: number;
    readonly meanCoupling: number;
    readonly explanation: string;
  };
  readonly services: readonly {
    readonly name: string;
    readonly capabilities: readonly string[];
    readonly owns: readonly string[];
    readonly cohesion?: number;
    readonly coupling: number;
    readonly stability: number;
    readonly calls: readonly string[];
  }[];
  readonly metrics: { readonly modularity: number };
  readonly recommendations: readonly {
    readonly text?: string;
    readonly message?: string;
    readonly title?: string;
  }[];
  readonly alternatives: readonly {
    readonly services: readonly { readonly name: string }[];
    readonly origin: string;
    readonly recommended: boolean;
    readonly modularity: number;
    readonly crossing: number;
    readonly remoteCallsAddedPerRequest: number;
    readonly sagas: number;
  }[];
}

const example = `name: shop
capabilities:
  - { name: catalogue, entities: [Product], operations: [find_product], team: shop }
  - { name: pricing, entities: [Product, Price], operations: [price_of], dependencies: [catalogue], team: shop }
  - { name: ordering, entities: [Order], operations: [place_order], dependencies: [payment, stock], team: orders }
  - { name: payment, entities: [Payment], operations: [charge], team: orders }
  - { name: stock, entities: [Stock], operations: [reserve], team: logistics }
  - { name: shipping, entities: [Parcel, Stock], operations: [send], dependencies: [stock], team: logistics }
`;

/** Which services there should be. */
export function BoundariesPage(): ReactNode {
  const t = useTexts();
  const [from, setFrom] = useState('traces');
  const [document, setDocument] = useState(example);
  const [services, setServices] = useState('');
  const run = useMutation({
    mutationFn: () =>
      ask<Report>('boundaries', 'POST', {
        from,
        ...(from === 'document' && { document }),
        ...(services !== '' && { services: Number(services) }),
      }),
  });
  return (
    <Page
      title={t('Boundaries')}
      note={t(
        'Measures how much the pieces of a system belong together, and proposes services. Nothing is changed.',
      )}
    >
      <Group align="flex-end">
        <SegmentedControl
          size="xs"
          data={[
            { value: 'traces', label: t('From the traces of the last hour') },
            { value: 'document', label: t('From a document') },
          ]}
          value={from}
          onChange={setFrom}
        />
        <NumberField
          label={t('How many services')}
          placeholder={t('the coupling decides')}
          size="xs"
          w={180}
          value={services}
          onChange={setServices}
        />
        <Button size="xs" loading={run.isPending} onClick={() => run.mutate()}>
          {t('Analyse')}
        </Button>
      </Group>
      {from === 'document' && (
        <Textarea
          className="editor"
          label={t('Capabilities as YAML')}
          autosize
          minRows={8}
          maxRows={20}
          value={document}
          onChange={(event) => setDocument(event.currentTarget.value)}
          spellCheck={false}
        />
      )}
      <Problem error={run.error} />
      {run.data && <ReportView report={run.data} />}
    </Page>
  );
}

function ReportView({ report }: { readonly report: Report }): ReactNode {
  const t = useTexts();
  const { summary } = report;
  return (
    <Stack data-report>
      <Text fw={600}>
        {t('{capabilities} capabilities, {pairs} coupled pairs: {services} services', {
          capabilities: summary.capabilities,
          pairs: summary.coupledPairs,
          services: summary.services,
        })}
      </Text>
      <Text size="sm">{summary.explanation}</Text>
      <ProposedServices services={report.services} />
      <Title order={2}>{t('Alternatives')}</Title>
      <Alternatives alternatives={report.alternatives} />
    </Stack>
  );
}

function ProposedServices({ services }: Pick<Report, 'services'>): ReactNode {
  const t = useTexts();
  return (
    <DataTable
      label={t('Proposed services')}
      rows={services}
      keyOf={({ name }) => name}
      columns={[
        {
          key: 'name',
          title: t('Service'),
          cell: ({ name }) => <strong>{name}</strong>,
          sortBy: ({ name }) => name,
        },
        {
          key: 'capabilities',
          title: t('Capabilities'),
          cell: ({ capabilities }) => capabilities.join(', '),
        },
        { key: 'owns', title: t('Owns'), cell: ({ owns }) => owns.join(', '), wide: true },
        {
          key: 'cohesion',
          title: t('Cohesion'),
          cell: ({ cohesion }) => (cohesion === undefined ? '–' : number(cohesion)),
          sortBy: ({ cohesion }) => cohesion ?? null,
          numeric: true,
        },
        {
          key: 'coupling',
          title: t('Coupled to others'),
          cell: ({ coupling }) => percent(coupling),
          sortBy: ({ coupling }) => coupling,
          numeric: true,
        },
        {
          key: 'stability',
          title: t('Stability'),
          cell: ({ stability }) => percent(stability),
          sortBy: ({ stability }) => stability,
          numeric: true,
          wide: true,
        },
      ]}
    />
  );
}

function Alternatives({ alternatives }: Pick<Report, 'alternatives'>): ReactNode {
  const t = useTexts();
  return (
    <DataTable
      label={t('Alternatives')}
      rows={alternatives.map((one, at) => ({ ...one, at }))}
      keyOf={({ at }) => String(at)}
      columns={[
        {
          key: 'services',
          title: t('Services'),
          cell: ({ services, recommended }) =>
            `${services.length}${recommended ? ` (${t('recommended')})` : ''}`,
          sortBy: ({ services }) => services.length,
        },
        { key: 'origin', title: t('Found by'), cell: ({ origin }) => origin },
        {
          key: 'modularity',
          title: t('Modularity'),
          cell: ({ modularity }) => number(modularity),
          sortBy: ({ modularity }) => modularity,
          numeric: true,
        },
        {
          key: 'crossing',
          title: t('Coupling cut'),
          cell: ({ crossing }) => percent(crossing),
          sortBy: ({ crossing }) => crossing,
          numeric: true,
        },
        {
          key: 'calls',
          title: t('Remote calls added'),
          cell: ({ remoteCallsAddedPerRequest }) => number(remoteCallsAddedPerRequest),
          numeric: true,
          wide: true,
        },
        { key: 'sagas', title: t('Sagas'), cell: ({ sagas }) => sagas, numeric: true, wide: true },
      ]}
    />
  );
}
