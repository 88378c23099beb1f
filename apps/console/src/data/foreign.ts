import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { ask } from './http.ts';

/** A page of another tool that configuration has hung into the console. */
export interface ForeignPage {
  readonly name: string;
  readonly title: string;
  readonly url: string;
  readonly health: {
    readonly state: 'up' | 'down';
    readonly tookMs: number;
    readonly said: string;
    readonly atMs: number;
  };
}

/** Those that who is signed in may see. */
export function useForeignPages(): UseQueryResult<{ readonly pages: readonly ForeignPage[] }> {
  return useQuery({
    queryKey: ['pages'],
    queryFn: () => ask<{ pages: ForeignPage[] }>('pages'),
    refetchInterval: 15_000,
  });
}
