import { Button, Center, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useSignIn } from '../data/session.ts';
import { Problem } from '../parts/problem.tsx';
import { useLanguage } from '../texts/language.tsx';

/** What strangers see. */
export function SignInPage({ provider }: { readonly provider: boolean }): ReactNode {
  const { t, language, speak } = useLanguage();
  const signIn = useSignIn();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    signIn.mutate({ name, password });
  };
  return (
    <Center component="main" mih="100dvh" p="md">
      <Paper withBorder p="xl" w="100%" maw={360} component="form" onSubmit={submit}>
        <Stack>
          <Stack gap={4} align="center">
            <img src="/mark.svg" alt="" width={40} height={40} />
            <Title order={1}>Heddle</Title>
          </Stack>
          <TextInput
            label={t('Name')}
            autoComplete="username"
            autoFocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            required
            withAsterisk={false}
          />
          <PasswordInput
            label={t('Password')}
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            required
            withAsterisk={false}
            visibilityToggleButtonProps={{ 'aria-label': t('Show the password') }}
          />
          <Problem error={signIn.error} />
          <Button type="submit" loading={signIn.isPending}>
            {t('Sign in')}
          </Button>
          {provider && (
            <Button component="a" href="/oauth2/begin" variant="default">
              {t('Sign in with your organisation')}
            </Button>
          )}
          <Text size="sm" c="dimmed">
            {t('The first password is printed once by "heddle up", for the user admin.')}
          </Text>
          <Button variant="subtle" size="compact-sm" onClick={() => speak(language === 'en' ? 'zh' : 'en')}>
            {language === 'en' ? '中文' : 'English'}
          </Button>
        </Stack>
      </Paper>
    </Center>
  );
}
