import { QueryClient } from '@tanstack/react-query';

/** What was asked and answered. Pages that live on measurements say how often they ask again. */
export const queries = new QueryClient({
  defaultOptions: { queries: { retry: 1, refetchOnWindowFocus: false, staleTime: 2000 } },
});
