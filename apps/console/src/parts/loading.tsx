import { Center, Loader } from '@mantine/core';
import type { ReactNode } from 'react';

/** Until something is there. */
export function Loading(): ReactNode {
  return (
    <Center py="xl">
      <Loader size="sm" role="progressbar" aria-label="…" />
    </Center>
  );
}
