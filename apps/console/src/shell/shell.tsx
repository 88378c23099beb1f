import {
  ActionIcon,
  AppShell,
  Burger,
  Group,
  Menu,
  NavLink,
  ScrollArea,
  Text,
  UnstyledButton,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { type ReactNode, Suspense } from 'react';
import { pause, useLive } from '../data/live.ts';
import { useMay, useSession, useSignOut } from '../data/session.ts';
import { useLanguage, useTexts } from '../texts/language.tsx';
import { Icon } from '../parts/icon.tsx';
import { Loading } from '../parts/loading.tsx';
import { useGoKeys } from './go-keys.ts';
import { OwnPassword } from './own-password.tsx';
import { pageGroups, type PageLink } from './pages.ts';
import { SignInPage } from './sign-in.tsx';

/** The frame of every page: who, where, and whether what is shown is live. Strangers get the sign-in instead. */
export function Shell(): ReactNode {
  const session = useSession();
  const t = useTexts();
  const [opened, { toggle, close }] = useDisclosure();
  if (session === undefined) return <Loading />;
  if (session.user === null) return <SignInPage provider={session.provider} />;
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 208, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding="md"
    >
      <a className="skip" href="#main">
        {t('Skip to the content')}
      </a>
      <AppShell.Header>
        <Head opened={opened} toggle={toggle} />
      </AppShell.Header>
      <AppShell.Navbar aria-label={t('Pages')}>
        <ScrollArea type="auto">
          <Navigation onGo={close} />
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1}>
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </AppShell.Main>
    </AppShell>
  );
}

function Head({ opened, toggle }: { readonly opened: boolean; readonly toggle: () => void }): ReactNode {
  const t = useTexts();
  return (
    <Group h="100%" px="md" justify="space-between" wrap="nowrap">
      <Group gap="xs" wrap="nowrap">
        <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t('Pages')} />
        <img src="/mark.svg" alt="" width={24} height={24} />
        <Text fw={700}>Heddle</Text>
      </Group>
      <Group gap="xs" wrap="nowrap">
        <LiveBadge />
        <LanguageButton />
        <SchemeButton />
        <AccountMenu />
      </Group>
    </Group>
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

function AccountMenu(): ReactNode {
  const session = useSession();
  const signOut = useSignOut();
  const t = useTexts();
  const [changing, { open, close }] = useDisclosure();
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <UnstyledButton
            className="account"
            aria-label={t('Account of {name}', { name: session?.user ?? '' })}
          >
            <Icon name="user" />
            <Text component="span" size="sm" visibleFrom="sm">
              {session?.user}
            </Text>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{`${session?.user ?? ''} · ${t(session?.role ?? '')}`}</Menu.Label>
          {session?.kind === 'local' && <Menu.Item onClick={open}>{t('Change the password')}</Menu.Item>}
          <Menu.Item onClick={() => void signOut()}>{t('Sign out')}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <OwnPassword opened={changing} close={close} />
    </>
  );
}

function Navigation({ onGo }: { readonly onGo: () => void }): ReactNode {
  const t = useTexts();
  const may = { viewer: true, operator: useMay('operator'), admin: useMay('admin') };
  const allowed = ({ role }: PageLink): boolean => may[role ?? 'viewer'];
  useGoKeys();
  return (
    <nav className="navigation">
      {pageGroups.map(({ title, pages }) => {
        const shown = pages.filter(allowed);
        if (shown.length === 0) return null;
        return (
          <section key={title} aria-label={t(title)}>
            <Text size="xs" c="dimmed" fw={600} px="sm" pt="sm" pb={4}>
              {t(title)}
            </Text>
            {shown.map((page) => (
              <PageEntry key={page.to} page={page} onGo={onGo} />
            ))}
          </section>
        );
      })}
    </nav>
  );
}

function PageEntry({ page, onGo }: { readonly page: PageLink; readonly onGo: () => void }): ReactNode {
  const t = useTexts();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const active = page.to === '/' ? path === '/' : path.startsWith(page.to);
  return (
    <NavLink
      component={Link}
      to={page.to}
      label={t(page.title)}
      active={active}
      aria-current={active ? 'page' : undefined}
      onClick={onGo}
      title={`g ${page.letter}`}
      py={5}
    />
  );
}
