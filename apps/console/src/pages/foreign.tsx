import { Anchor, Text } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useForeignPages } from '../data/foreign.ts';
import { Loading } from '../parts/loading.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { duration } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';

/** A page of another tool, in a frame that can do nothing to the console around it. */
export function ForeignPage(): ReactNode {
  const t = useTexts();
  const { name = '' } = useParams({ strict: false });
  const { data, error } = useForeignPages();
  if (data === undefined) return error ? <Problem error={error} /> : <Loading />;
  const page = data.pages.find((one) => one.name === name);
  if (page === undefined)
    return (
      <Page title={name}>
        <Empty title={t('There is no such page, or your role may not see it.')}>
          {t('Pages of other tools are named in HEDDLE_CONSOLE_PAGES.')}
        </Empty>
      </Page>
    );
  const { title, url, health } = page;
  const isForeign = new URL(url).origin !== window.location.origin;
  return (
    <Page
      title={title}
      note={
        health.state === 'up'
          ? t('answers in {time}', { time: duration(health.tookMs) ?? '' })
          : t('does not answer well: {said}', { said: health.said })
      }
      side={
        <Anchor href={url} target="_blank" rel="noreferrer" size="sm">
          {t('Open on its own')}
        </Anchor>
      }
    >
      {health.state === 'down' && (
        <Text className="bad" size="sm" role="status" data-health="down">
          {t('The control plane cannot reach it: {said}', { said: health.said })}
        </Text>
      )}
      {isForeign ? (
        <iframe
          className="foreign"
          title={title}
          src={url}
          referrerPolicy="no-referrer"
          sandbox="allow-scripts allow-same-origin allow-forms allow-popups allow-downloads"
          data-foreign={name}
        />
      ) : (
        // With the console's own origin it could reach into the console.
        <Empty title={t('A page of the console’s own origin is not shown in a frame.')} />
      )}
    </Page>
  );
}
