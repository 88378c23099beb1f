import { Button, Group, Modal, PasswordInput, Select, Stack, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../data/http.ts';
import { Confirm } from '../parts/confirm.tsx';
import { DataTable } from '../parts/data-table.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { moment } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';

interface User {
  readonly name: string;
  readonly role: string;
  readonly createdMs: number;
  readonly passwordMs: number;
}

const roles = ['viewer', 'operator', 'admin'];

/** Who may sign in with a password, and what they may do. */
export function UsersPage(): ReactNode {
  const t = useTexts();
  const { data, error } = useQuery({ queryKey: ['users'], queryFn: () => ask<{ users: User[] }>('users') });
  const [adding, { open, close }] = useDisclosure();
  const path = ({ name }: User): string => `users/${encodeURIComponent(name)}`;
  return (
    <Page
      title={t('Users')}
      note={t('A viewer sees, an operator also changes what runs, an admin also says who may.')}
      side={
        <Button size="compact-sm" onClick={open}>
          {t('Add a user')}
        </Button>
      }
    >
      <Problem error={error} />
      <DataTable
        label={t('Users')}
        rows={data?.users ?? []}
        keyOf={({ name }) => name}
        columns={[
          {
            key: 'name',
            title: t('Name'),
            cell: ({ name }) => <strong>{name}</strong>,
            sortBy: ({ name }) => name,
          },
          {
            key: 'role',
            title: t('Role'),
            cell: (user) => <RoleSelect user={user} path={path(user)} />,
            sortBy: ({ role }) => roles.indexOf(role),
          },
          {
            key: 'created',
            title: t('Since'),
            cell: ({ createdMs }) => moment(createdMs),
            sortBy: ({ createdMs }) => createdMs,
            wide: true,
          },
          {
            key: 'password',
            title: t('Password since'),
            cell: ({ passwordMs }) => moment(passwordMs),
            sortBy: ({ passwordMs }) => passwordMs,
            wide: true,
          },
          {
            key: 'remove',
            title: t('Remove'),
            cell: (user) => (
              <Confirm
                label={t('Remove')}
                color="red"
                act={() => ask(path(user), 'DELETE')}
                question={t('{name} is signed out and cannot sign in any more.', { name: user.name })}
              />
            ),
          },
        ]}
      />
      <Modal
        opened={adding}
        onClose={close}
        title={t('Add a user')}
        closeButtonProps={{ 'aria-label': t('Close') }}
      >
        <AddUser close={close} />
      </Modal>
    </Page>
  );
}

function RoleSelect({ user, path }: { readonly user: User; readonly path: string }): ReactNode {
  const t = useTexts();
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (role: string) => ask(`${path}/role`, 'PUT', { role }),
    onSettled: () => client.invalidateQueries({ queryKey: ['users'] }),
  });
  return (
    <>
      <Select
        size="xs"
        w={130}
        aria-label={t('Role of {name}', { name: user.name })}
        data={roles.map((role) => ({ value: role, label: t(role) }))}
        value={user.role}
        allowDeselect={false}
        onChange={(role) => role !== null && change.mutate(role)}
      />
      <Problem error={change.error} />
    </>
  );
}

function AddUser({ close }: { readonly close: () => void }): ReactNode {
  const t = useTexts();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [role, setRole] = useState('viewer');
  const add = useMutation({
    mutationFn: () => ask('users', 'POST', { name, role, password }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['users'] });
      close();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <Stack component="form" onSubmit={submit}>
      <TextInput
        label={t('Name')}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        data-autofocus
      />
      <Select
        label={t('Role')}
        data={roles.map((one) => ({ value: one, label: t(one) }))}
        value={role}
        allowDeselect={false}
        onChange={(one) => setRole(one ?? 'viewer')}
      />
      <PasswordInput
        label={t('Password')}
        description={t('10 characters or more')}
        autoComplete="new-password"
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <Problem error={add.error} />
      <Group justify="flex-end">
        <Button type="submit" loading={add.isPending}>
          {t('Add')}
        </Button>
      </Group>
    </Stack>
  );
}
