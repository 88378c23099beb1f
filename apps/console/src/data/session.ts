import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ask, rememberSession } from './http.ts';
import type { SessionView } from './views.ts';

const order = ['viewer', 'operator', 'admin'];

/** Who is signed in; undefined until it is known. */
export function useSession(): SessionView | undefined {
  const { data } = useQuery({
    queryKey: ['session'],
    queryFn: async () => rememberSession(await ask<SessionView>('session')),
    staleTime: 60_000,
  });
  return data;
}

/** Whether who is signed in may do what asks for this role. The server asks again. */
export function useMay(role: 'viewer' | 'operator' | 'admin'): boolean {
  const session = useSession();
  return order.indexOf(session?.role ?? '') >= order.indexOf(role);
}

/** Signs in. */
export function useSignIn(): ReturnType<
  typeof useMutation<SessionView, Error, { name: string; password: string }>
> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (given) => rememberSession(await ask<SessionView>('session', 'POST', given)),
    onSuccess: (session) => client.setQueryData(['session'], session),
  });
}

/** Signs out, and forgets all that was seen. */
export function useSignOut(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    const session = rememberSession(await ask<SessionView>('session', 'DELETE'));
    client.clear();
    client.setQueryData(['session'], session);
  };
}
