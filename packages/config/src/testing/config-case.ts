import type { ConfigStage } from './config-stage.ts';

/** What a case needs beside a store. */
export type ConfigNeed = 'faulty' | 'restart';

/** A promise of a backend, or of the centre on top of it. Rejects unless it is kept; what it measured, if anything. */
export interface ConfigCase {
  readonly name: string;
  readonly needs?: readonly ConfigNeed[];
  run(stage: ConfigStage): Promise<string | undefined>;
}
