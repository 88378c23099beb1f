import { Button, Group, SegmentedControl, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ask } from '../data/http.ts';
import { Confirm } from '../parts/confirm.tsx';
import { Differences } from '../parts/differences.tsx';
import { NumberField } from '../parts/number-field.tsx';
import { Problem } from '../parts/problem.tsx';
import { useTexts } from '../texts/language.tsx';
import type { Version } from './config-version.ts';

interface Plan {
  readonly differences: readonly {
    readonly key: string;
    readonly before?: unknown;
    readonly after?: unknown;
  }[];
  readonly gray: readonly { readonly key: string; readonly before?: unknown; readonly after?: unknown }[];
}

/** New values for everybody, or first for some. What is published was looked at as it stands. */
export function ConfigChange({
  place,
  head,
}: {
  readonly place: string;
  readonly head: Version | null;
}): ReactNode {
  const t = useTexts();
  const [base] = useState(head);
  const [text, setText] = useState(JSON.stringify(base?.values ?? {}, undefined, 2));
  const [kind, setKind] = useState('publish');
  const [percent, setPercent] = useState('10');
  const [instances, setInstances] = useState('');
  const asked = { text, kind, percent, instances };
  const request = (more: object): Promise<Plan> =>
    ask<Plan>(`config/${place}`, 'POST', { ...changeOf(asked, base), ...more });
  const plan = useMutation({
    mutationFn: () => request({ dryRun: true }).then((made) => ({ made, of: JSON.stringify(asked) })),
  });
  const fits = plan.data?.of === JSON.stringify(asked);
  const shown = kind === 'gray' ? plan.data?.made.gray : plan.data?.made.differences;
  return (
    <Stack>
      <SegmentedControl
        size="sm"
        data={[
          { value: 'publish', label: t('For everybody') },
          { value: 'gray', label: t('For some first (gray release)') },
        ]}
        value={kind}
        onChange={setKind}
        style={{ alignSelf: 'flex-start' }}
      />
      {kind === 'gray' && (
        <AudienceFields
          percent={percent}
          setPercent={setPercent}
          instances={instances}
          setInstances={setInstances}
        />
      )}
      <Textarea
        className="editor"
        data-editor
        label={t('Values as JSON')}
        description={t('Begun with version {id}', { id: base?.version ?? 0 })}
        autosize
        minRows={8}
        maxRows={26}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        spellCheck={false}
      />
      <Group gap="xs">
        <Button size="compact-sm" variant="default" loading={plan.isPending} onClick={() => plan.mutate()}>
          {t('Check and compare')}
        </Button>
        <Confirm
          label={t('Publish')}
          variant="filled"
          disabled={!fits}
          asksWhy
          act={(comment) => request({ comment })}
          question={t('{count} values change.', { count: shown?.length ?? 0 })}
        />
        {!fits && (
          <Text size="sm" c="dimmed">
            {t('Publishing needs a comparison of this very text.')}
          </Text>
        )}
      </Group>
      <Problem error={plan.error} />
      {fits && shown !== undefined && (
        <div data-plan="ok">
          <Differences of={shown.map(({ key, before, after }) => ({ at: key, before, after }))} />
        </div>
      )}
    </Stack>
  );
}

interface AskedChange {
  readonly text: string;
  readonly kind: string;
  readonly percent: string;
  readonly instances: string;
}

/** Only what differs is sent: what somebody else adds meanwhile is refused by its version, not overwritten. */
function changeOf({ text, kind, percent, instances }: AskedChange, base: Version | null): object {
  const wanted = JSON.parse(text) as Record<string, unknown>;
  const before = base?.values ?? {};
  const set = Object.fromEntries(
    Object.entries(wanted).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(before[key])),
  );
  const remove = Object.keys(before).filter((key) => !(key in wanted));
  const named = instances
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean);
  const audience = {
    ...(named.length > 0 && { instances: named }),
    ...(Number(percent) > 0 && { percent: Number(percent) }),
  };
  return { action: kind, set, remove, expected: base?.version ?? 0, ...(kind === 'gray' && { audience }) };
}

function AudienceFields({
  percent,
  setPercent,
  instances,
  setInstances,
}: {
  readonly percent: string;
  readonly setPercent: (percent: string) => void;
  readonly instances: string;
  readonly setInstances: (instances: string) => void;
}): ReactNode {
  const t = useTexts();
  return (
    <Group align="flex-end">
      <NumberField
        label={t('Share of the instances (%)')}
        size="xs"
        w={180}
        value={percent}
        onChange={setPercent}
      />
      <TextInput
        label={t('And these instances')}
        placeholder="order-1b2a77f0, order-2"
        size="xs"
        w={280}
        value={instances}
        onChange={(event) => setInstances(event.currentTarget.value)}
      />
    </Group>
  );
}
