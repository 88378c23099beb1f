import { Menu, Text, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { useSession, useSignOut } from '../data/session.ts';
import { Icon } from '../parts/icon.tsx';
import { useTexts } from '../texts/language.tsx';
import { OwnPassword } from './own-password.tsx';

/** Who is signed in and what they may; their password; the way out. Open when it comes: somebody has pressed for it. */
export function AccountMenu(): ReactNode {
  const session = useSession();
  const signOut = useSignOut();
  const t = useTexts();
  const [changing, { open, close }] = useDisclosure();
  const name = session?.user ?? '';
  return (
    <>
      <Menu position="bottom-end" withinPortal defaultOpened>
        <Menu.Target>
          <UnstyledButton className="account" aria-label={t('Account of {name}', { name })}>
            <Icon name="user" />
            <Text component="span" size="sm" visibleFrom="sm">
              {name}
            </Text>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{`${name} · ${t(session?.role ?? '')}`}</Menu.Label>
          {session?.kind === 'local' && <Menu.Item onClick={open}>{t('Change the password')}</Menu.Item>}
          <Menu.Item onClick={() => void signOut()}>{t('Sign out')}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <OwnPassword opened={changing} close={close} />
    </>
  );
}
