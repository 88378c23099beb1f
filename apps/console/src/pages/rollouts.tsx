import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../data/http.ts';
import { useMay } from '../data/session.ts';
import { Confirm } from '../parts/confirm.tsx';
import { Loading } from '../parts/loading.tsx';
import { Measured } from '../parts/measured.tsx';
import { NumberField } from '../parts/number-field.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { State } from '../parts/state.tsx';
import { duration, moment, number } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';

interface Split {
  readonly file: string;
  readonly name: string;
  readonly namespace: string;
  readonly host: string;
  readonly shares: readonly {
    readonly subset: string;
    readonly weight: number;
    readonly measured: {
      readonly calls: number;
      readonly errorPercent: number;
      readonly latencyMs?: number;
    } | null;
  }[];
}

interface Rollout {
  readonly id: number;
  readonly shift: { readonly name: string; readonly from: string; readonly to: string };
  readonly plan: {
    readonly steps: readonly number[];
    readonly maxErrorPercent: number;
    readonly maxLatencyMs?: number;
  };
  readonly who: string;
  readonly startedMs: number;
  readonly phase: string;
  readonly percent: number;
  readonly reason: string;
  readonly looks: readonly {
    readonly atMs: number;
    readonly percent: number;
    readonly calls: number;
    readonly errorPercent: number;
    readonly latencyMs: number | null;
  }[];
}

interface Answer {
  readonly served: boolean;
  /** Whether the rules can be changed from here. */
  readonly writable?: boolean;
  readonly place?: string;
  readonly splits: readonly Split[];
  readonly rollouts: readonly Rollout[];
}

/** Splits between versions with what was measured of each; rollouts by steps, each judged, and taken back. */
export function RolloutsPage(): ReactNode {
  const t = useTexts();
  const { data, error } = useQuery({
    queryKey: ['rollouts'],
    queryFn: () => ask<Answer>('rollouts'),
    refetchInterval: 2000,
  });
  if (data === undefined) return error ? <Problem error={error} /> : <Loading />;
  return (
    <Page
      title={t('Rollouts')}
      note={t(
        'A new version gets traffic by steps; errors or latency beyond what is set take it back by themselves.',
      )}
    >
      <Problem error={error} />
      {data.splits.length === 0 && data.rollouts.length === 0 ? (
        <Empty title={t('No rule splits traffic between versions.')}>
          {t('A split is a VirtualService that sends to two subsets of one host, each with a weight.')}
        </Empty>
      ) : (
        <>
          {data.writable === false && (
            <Text size="sm" data-writable="false">
              {t('They are changed where they come from: {place}.', { place: data.place ?? '' })}
            </Text>
          )}
          {data.splits.map((split) => (
            <SplitView
              key={`${split.namespace}/${split.name}`}
              split={split}
              writable={data.writable === true}
            />
          ))}
          {data.rollouts.map((rollout) => (
            <RolloutView key={rollout.id} rollout={rollout} />
          ))}
        </>
      )}
    </Page>
  );
}

function SplitView({ split, writable }: { readonly split: Split; readonly writable: boolean }): ReactNode {
  const t = useTexts();
  const may = useMay('operator') && writable;
  const total = split.shares.reduce((sum, { weight }) => sum + weight, 0);
  return (
    <section className="decision" aria-label={split.name} data-split={split.name}>
      <Group justify="space-between" mb="xs">
        <Text fw={600}>{`${split.namespace}/${split.name} → ${split.host}`}</Text>
        {may && <Begin split={split} />}
      </Group>
      <table className="diff">
        <thead>
          <tr>
            <th scope="col">{t('Version')}</th>
            <th scope="col">{t('Share')}</th>
            <th scope="col">{t('Calls in 5 min')}</th>
            <th scope="col">{t('Errors')}</th>
            <th scope="col">p99</th>
          </tr>
        </thead>
        <tbody>
          {split.shares.map(({ subset, weight, measured }) => (
            <tr key={subset} data-subset={subset}>
              <td>{subset}</td>
              <td>{`${total === 0 ? 0 : Math.round((weight * 100) / total)} %`}</td>
              <td>
                <Measured value={measured === null || measured.calls === 0 ? null : number(measured.calls)} />
              </td>
              <td>
                <Measured
                  value={
                    measured === null || measured.calls === 0 ? null : `${number(measured.errorPercent)} %`
                  }
                  bad={(measured?.errorPercent ?? 0) >= 5}
                />
              </td>
              <td>
                <Measured value={measured?.latencyMs === undefined ? null : duration(measured.latencyMs)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {may && <ByHand split={split} />}
    </section>
  );
}

function pairOf({ file, name, namespace, shares }: Split): Record<string, string> {
  const [old, next] = [shares[0]?.subset ?? '', shares.at(-1)?.subset ?? ''];
  return { file, name, namespace, from: old, to: next };
}

/** Gives the new version a share at once. */
function ByHand({ split }: { readonly split: Split }): ReactNode {
  const t = useTexts();
  const { to = '', from = '' } = pairOf(split);
  return (
    <Group gap="xs" mt="xs">
      <Text size="sm">{t('Give {to} at once:', { to })}</Text>
      {[0, 10, 50, 100].map((percent) => (
        <Confirm
          key={percent}
          label={`${percent} %`}
          asksWhy
          act={(why) => ask('rollouts/shift', 'POST', { ...pairOf(split), percent, why })}
          question={t('{to} gets {percent} % of the traffic, {from} the rest, at once.', {
            to,
            from,
            percent,
          })}
        />
      ))}
    </Group>
  );
}

function Begin({ split }: { readonly split: Split }): ReactNode {
  const t = useTexts();
  const client = useQueryClient();
  const [opened, { open, close }] = useDisclosure();
  const [steps, setSteps] = useState('5, 20, 50, 100');
  const [every, setEvery] = useState('60');
  const [look, setLook] = useState('10');
  const [errors, setErrors] = useState('1');
  const [latency, setLatency] = useState('');
  const [calls, setCalls] = useState('20');
  const begin = useMutation({
    mutationFn: () =>
      ask('rollouts', 'POST', {
        ...pairOf(split),
        steps: steps.split(',').map((one) => Number(one.trim())),
        everyMs: Number(every) * 1000,
        lookMs: Number(look) * 1000,
        maxErrorPercent: Number(errors),
        ...(latency !== '' && { maxLatencyMs: Number(latency) }),
        minCalls: Number(calls),
      }),
    onSuccess: async () => {
      close();
      await client.invalidateQueries({ queryKey: ['rollouts'] });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    begin.mutate();
  };
  const fields = [
    [t('How long a step must hold, in seconds'), every, setEvery],
    [t('Seconds between two looks at the metrics'), look, setLook],
    [t('At most this many percent of calls may fail'), errors, setErrors],
    [t('At most this latency (p99) in ms'), latency, setLatency],
    [t('Fewer calls in a look say nothing'), calls, setCalls],
  ] as const;
  return (
    <>
      <Button size="compact-sm" onClick={open}>
        {t('Begin a rollout')}
      </Button>
      <Modal
        opened={opened}
        onClose={close}
        title={t('Begin a rollout')}
        closeButtonProps={{ 'aria-label': t('Close') }}
      >
        <Stack component="form" onSubmit={submit} gap="xs">
          <TextInput
            label={t('Steps in percent')}
            value={steps}
            onChange={(event) => setSteps(event.currentTarget.value)}
          />
          {fields.map(([label, value, change]) => (
            <NumberField key={label} label={label} value={value} onChange={change} />
          ))}
          <Problem error={begin.error} />
          <Button type="submit" loading={begin.isPending} data-begin>
            {t('Begin')}
          </Button>
        </Stack>
      </Modal>
    </>
  );
}

function RolloutView({ rollout }: { readonly rollout: Rollout }): ReactNode {
  const t = useTexts();
  const may = useMay('operator');
  const { id, shift, plan, phase, percent, reason, who, startedMs, looks } = rollout;
  return (
    <section className="decision" aria-label={t('Rollout {id}', { id })} data-rollout={phase}>
      <Group justify="space-between" mb="xs">
        <Group gap="xs">
          <Text fw={600}>{`${t('Rollout {id}', { id })}: ${shift.name}, ${shift.from} → ${shift.to}`}</Text>
          <State of={phase} />
        </Group>
        {may && phase === 'running' && (
          <Confirm
            label={t('Take back')}
            color="red"
            asksWhy
            act={(why) => ask(`rollouts/${id}/stop`, 'POST', { why })}
            question={t('{from} gets all of the traffic again.', { from: shift.from })}
          />
        )}
      </Group>
      <Text size="sm" c="dimmed">
        {[who, moment(startedMs), reason].filter(Boolean).join(' · ')}
      </Text>
      <ol className="steps" aria-label={t('Steps')}>
        {plan.steps.map((step) => (
          <li key={step} aria-current={step === percent ? 'step' : undefined} data-done={step <= percent}>
            {`${step} %`}
          </li>
        ))}
      </ol>
      {looks.length > 0 && (
        <Text size="sm">
          {t('Last look: {calls} calls, {errors} % failed (at most {most} %)', {
            calls: number(looks.at(-1)?.calls ?? 0),
            errors: number(looks.at(-1)?.errorPercent ?? 0),
            most: plan.maxErrorPercent,
          })}
        </Text>
      )}
    </section>
  );
}
