import { Anchor, Card, Group, SimpleGrid, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useLive } from '../data/live.ts';
import type { Attention, Overview, ServiceView } from '../data/views.ts';
import { Icon } from '../parts/icon.tsx';
import { Loading } from '../parts/loading.tsx';
import { Measured } from '../parts/measured.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Spark } from '../parts/spark.tsx';
import { age, duration, number, percent } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';

/** What fails and why, then how each service is. */
export function OverviewPage(): ReactNode {
  const t = useTexts();
  const { overview } = useLive();
  if (overview === undefined) return <Loading />;
  const { services } = overview;
  return (
    <Page
      title={t('Overview')}
      note={t(
        'Measured from each instance’s own metrics every {seconds} s; rates and latencies cover the last 10 s.',
        { seconds: overview.everyMs / 1000 },
      )}
    >
      <Totals services={services} />
      <AttentionList overview={overview} />
      <section aria-labelledby="services-title">
        <Title order={2} id="services-title" mb="xs">
          {t('Services')}
        </Title>
        {services.length === 0 ? (
          <Empty title={t('No service is registered yet.')}>
            {t(
              'A service appears here as soon as it registers itself. "heddle up --shop" starts a demo with seven.',
            )}
          </Empty>
        ) : (
          <SimpleGrid cols={{ base: 1, xs: 2, md: 3, xl: 4 }} spacing="sm">
            {bySeverity(overview).map((service) => (
              <ServiceCard key={service.name} service={service} attention={overview.attention} />
            ))}
          </SimpleGrid>
        )}
      </section>
    </Page>
  );
}

function Totals({ services }: { readonly services: readonly ServiceView[] }): ReactNode {
  const t = useTexts();
  const measured = services.flatMap(({ traffic }) => traffic ?? []);
  const perSecond = measured.reduce((sum, traffic) => sum + traffic.perSecond, 0);
  const errors = measured.reduce((sum, traffic) => sum + traffic.perSecond * (traffic.errorShare ?? 0), 0);
  const share = perSecond > 0 ? errors / perSecond : null;
  const instances = services.flatMap((service) => service.instances);
  const answering = instances.filter(
    ({ metrics, state }) => metrics === 'read' && state === 'running',
  ).length;
  const all: readonly (readonly [string, string | null, boolean])[] = [
    [t('Services'), number(services.length), false],
    [
      t('Instances running'),
      t('{count} of {all}', { count: answering, all: instances.length }),
      answering < instances.length,
    ],
    [t('Requests'), measured.length > 0 ? t('{rate}/s', { rate: number(perSecond) }) : null, false],
    [t('Errors'), percent(share), (share ?? 0) >= 0.05],
  ];
  return (
    <dl className="totals">
      {all.map(([title, value, bad]) => (
        <div key={title}>
          <dt>{title}</dt>
          <dd>
            <Measured value={value} bad={bad} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function AttentionList({ overview: { attention, timeMs } }: { readonly overview: Overview }): ReactNode {
  const t = useTexts();
  return (
    <section aria-labelledby="attention-title">
      <Title order={2} id="attention-title" mb="xs">
        {t('Needs attention')}
      </Title>
      <ul className="attention" aria-live="polite">
        {attention.map((item) => (
          <li
            key={`${item.kind} ${item.service} ${item.instance ?? ''}`}
            data-level={item.level}
            data-attention={item.service}
          >
            <Icon name={item.level === 'critical' ? 'stop' : 'warn'} />
            <Text span size="sm" fw={600} className="level">
              {t(item.level)}
            </Text>
            <Anchor
              component={Link}
              to={`/services?name=${encodeURIComponent(item.service)}`}
              fw={600}
              size="sm"
            >
              {item.service}
            </Anchor>
            <Text span size="sm">
              <AttentionText item={item} />
            </Text>
            <Text span size="xs" c="dimmed" className="since">
              {t('{age} ago', { age: age(timeMs - item.sinceMs) })}
            </Text>
          </li>
        ))}
        {attention.length === 0 && (
          <li data-level="none">
            <Icon name="check" />
            <Text span size="sm">
              {t('Nothing. Every instance answers and errors are below 5 %.')}
            </Text>
          </li>
        )}
      </ul>
    </section>
  );
}

function AttentionText({ item }: { readonly item: Attention }): ReactNode {
  const t = useTexts();
  const values = {
    instance: item.instance ?? '',
    state: t(item.detail ?? ''),
    share: Math.round(Number(item.detail) * 100),
  };
  switch (item.kind) {
    case 'service_down':
      return t('has no instance left');
    case 'instance_lost':
      return t('lost {instance}', values);
    case 'instance_unreachable':
      return t('{instance} does not answer', values);
    case 'errors':
      return (
        <>
          {t('{share} % of the requests fail', values)} ·{' '}
          <Anchor component={Link} to={`/decisions?service=${encodeURIComponent(item.service)}`} size="sm">
            {t('see why')}
          </Anchor>
        </>
      );
    default:
      return t('{instance} is {state}', values);
  }
}

function ServiceCard({
  service,
  attention,
}: {
  readonly service: ServiceView;
  readonly attention: readonly Attention[];
}): ReactNode {
  const t = useTexts();
  const { name, traffic, instances, history } = service;
  const own = attention.filter((item) => item.service === name);
  const level = own.some((item) => item.level === 'critical')
    ? 'critical'
    : own.length > 0
      ? 'warning'
      : 'none';
  const running = instances.filter(({ metrics, state }) => metrics === 'read' && state === 'running').length;
  const bad = (traffic?.errorShare ?? 0) >= 0.05;
  const now = history.perSecond.at(-1);
  return (
    <Card
      component={Link}
      to={`/services?name=${encodeURIComponent(name)}`}
      withBorder
      padding="sm"
      className="service-card"
      data-service={name}
      data-level={level}
    >
      <Group justify="space-between" wrap="nowrap">
        <Text fw={600} truncate>
          {name}
        </Text>
        <Text size="xs" c="dimmed">
          {t('{count} of {all} running', { count: running, all: instances.length })}
        </Text>
      </Group>
      <Spark
        {...history}
        label={t('{name}: requests per second, now {now}', {
          name,
          now: now === null || now === undefined ? t('not measured') : number(now),
        })}
      />
      <dl className="red">
        <div>
          <dt>{t('Requests')}</dt>
          <dd>
            <Measured value={traffic && t('{rate}/s', { rate: number(traffic.perSecond) })} />
          </dd>
        </div>
        <div>
          <dt>{t('Errors')}</dt>
          <dd>
            <Measured value={percent(traffic?.errorShare)} bad={bad} />
          </dd>
        </div>
        <div>
          <dt>p50</dt>
          <dd>
            <Measured value={duration(traffic?.p50Ms)} />
          </dd>
        </div>
        <div>
          <dt>p95</dt>
          <dd>
            <Measured value={duration(traffic?.p95Ms)} />
          </dd>
        </div>
      </dl>
    </Card>
  );
}

function bySeverity({ services, attention }: Overview): readonly ServiceView[] {
  const rank = (name: string): number => {
    const own = attention.filter(({ service }) => service === name);
    return own.some(({ level }) => level === 'critical') ? 0 : own.length > 0 ? 1 : 2;
  };
  return services.toSorted((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1));
}
