import type { Subject } from './sagas.ts';

/** So many at once, for a time. */
export async function perSecond(
  { once }: Pick<Subject, 'once'>,
  atOnce: number,
  turnMs: number,
): Promise<number> {
  const startedMs = performance.now();
  let count = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() - startedMs < turnMs) {
      await once();
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return (count / (performance.now() - startedMs)) * 1000;
}
