import {
  ActionIcon,
  Group,
  Text,
  UnstyledButton,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { lazy, type ReactNode, Suspense } from 'react';
import { useForeignPages } from '../data/foreign.ts';
import { pause, useLive } from '../data/live.ts';
import { useMay, useSession } from '../data/session.ts';
import { useLanguage, useTexts } from '../texts/language.tsx';
import { Icon } from '../parts/icon.tsx';
import { Loading } from '../parts/loading.tsx';
import { useGoKeys } from './go-keys.ts';
import { pageGroups, type PageLink } from './pages.ts';
import { SignInPage } from './sign-in.tsx';

const AccountMenu = lazy(async () => ({ default: (await import('./account-menu.tsx')).AccountMenu }));

/** The frame of every page: who, where, and whether what is shown is live. Strangers get the sign-in instead. */
export function Shell(): ReactNode {
  const session = useSession();
  const t = useTexts();
  const [opened, { toggle, close }] = useDisclosure();
  if (session === undefined) return <Loading />;
  if (session.user === null) return <SignInPage provider={session.provider} />;
  return (
    <div className="frame" data-opened={opened}>
      <a className="skip" href="#main">
        {t('Skip to the content')}
      </a>
      <header className="head">
        <Head opened={opened} toggle={toggle} />
      </header>
      <div className="side">
        <Navigation onGo={close} />
      </div>
      <main id="main" tabIndex={-1}>
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </main>
    </div>
  );
}

function Head({ opened, toggle }: { readonly opened: boolean; readonly toggle: () => void }): ReactNode {
  const t = useTexts();
  return (
    <>
      <Group gap="xs" wrap="nowrap">
        <UnstyledButton className="burger" aria-label={t('Pages')} aria-expanded={opened} onClick={toggle}>
          <Icon name={opened ? 'close' : 'menu'} size={22} />
        </UnstyledButton>
        <img src="/mark.svg" alt="" width={24} height={24} />
        <Text fw={700}>Heddle</Text>
      </Group>
      <Group gap="xs" wrap="nowrap">
        <LiveBadge />
        <LanguageButton />
        <SchemeButton />
        <Account />
      </Group>
    </>
  );
}

function LiveBadge(): ReactNode {
  const { state } = useLive();
  const t = useTexts();
  const texts = {
    connecting: t('Connecting'),
    live: t('Live'),
    lost: t('No connection'),
    paused: t('Paused'),
  };
  const isPaused = state === 'paused';
  return (
    <UnstyledButton
      className="live"
      data-live={state}
      onClick={() => pause(!isPaused)}
      title={isPaused ? t('Follow again') : t('Hold the page still')}
    >
      <span className="dot" aria-hidden="true" />
      <span role="status">{texts[state]}</span>
    </UnstyledButton>
  );
}

function LanguageButton(): ReactNode {
  const { language, speak } = useLanguage();
  const other = language === 'en' ? 'zh' : 'en';
  return (
    <UnstyledButton className="live" lang={other} onClick={() => speak(other)} data-language={other}>
      {other === 'zh' ? '中文' : 'EN'}
    </UnstyledButton>
  );
}

function SchemeButton(): ReactNode {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const t = useTexts();
  const other = scheme === 'dark' ? 'light' : 'dark';
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      aria-label={other === 'dark' ? t('Dark colours') : t('Light colours')}
      onClick={() => setColorScheme(other)}
    >
      <Icon name={other === 'dark' ? 'moon' : 'sun'} />
    </ActionIcon>
  );
}

/** The menu is fetched when somebody reaches for it. */
function Account(): ReactNode {
  const session = useSession();
  const t = useTexts();
  const [wanted, { open }] = useDisclosure();
  const name = session?.user ?? '';
  const button = (
    <UnstyledButton
      className="account"
      aria-label={t('Account of {name}', { name })}
      aria-haspopup="menu"
      onClick={open}
    >
      <Icon name="user" />
      <Text component="span" size="sm" visibleFrom="sm">
        {name}
      </Text>
    </UnstyledButton>
  );
  if (!wanted) return button;
  return (
    <Suspense fallback={button}>
      <AccountMenu />
    </Suspense>
  );
}

function Navigation({ onGo }: { readonly onGo: () => void }): ReactNode {
  const t = useTexts();
  const may = { viewer: true, operator: useMay('operator'), admin: useMay('admin') };
  const allowed = ({ role }: PageLink): boolean => may[role ?? 'viewer'];
  useGoKeys();
  return (
    <nav className="navigation" aria-label={t('Pages')}>
      {pageGroups.map(({ title, pages }) => {
        const shown = pages.filter(allowed);
        if (shown.length === 0) return null;
        return (
          <section key={title} aria-label={t(title)}>
            <h2>{t(title)}</h2>
            {shown.map((page) => (
              <PageEntry key={page.to} page={page} onGo={onGo} />
            ))}
          </section>
        );
      })}
      <OtherTools onGo={onGo} />
    </nav>
  );
}

/** Pages of other tools that configuration names, each with how it is. */
function OtherTools({ onGo }: { readonly onGo: () => void }): ReactNode {
  const t = useTexts();
  const pages = useForeignPages().data?.pages ?? [];
  const path = useRouterState({ select: (state) => state.location.pathname });
  if (pages.length === 0) return null;
  return (
    <section aria-label={t('Other tools')}>
      <h2>{t('Other tools')}</h2>
      {pages.map(({ name, title, health }) => (
        <Link
          key={name}
          className="page-link"
          to="/pages/$name"
          params={{ name }}
          aria-current={path === `/pages/${name}` ? 'page' : undefined}
          onClick={onGo}
          title={health.state === 'up' ? t('answers') : health.said}
          data-tool={name}
        >
          <span className="dot" data-health={health.state} aria-hidden="true" />
          {title}
          {health.state === 'down' && ` (${t('does not answer')})`}
        </Link>
      ))}
    </section>
  );
}

function PageEntry({ page, onGo }: { readonly page: PageLink; readonly onGo: () => void }): ReactNode {
  const t = useTexts();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const active = page.to === '/' ? path === '/' : path.startsWith(page.to);
  return (
    <Link
      className="page-link"
      to={page.to}
      aria-current={active ? 'page' : undefined}
      onClick={onGo}
      title={`g ${page.letter}`}
    >
      {t(page.title)}
    </Link>
  );
}
