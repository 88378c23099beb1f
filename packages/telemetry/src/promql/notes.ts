import { compareTexts } from './labels.ts';

/** What an answer should be read with: warnings of what is probably wrong, and information on what may be. */
export class Notes {
  readonly #warnings = new Set<string>();
  readonly #infos = new Set<string>();

  warn(text: string, from: number): void {
    this.#warnings.add(`PromQL warning: ${text} (1:${from + 1})`);
  }

  info(text: string, from: number): void {
    this.#infos.add(`PromQL info: ${text} (1:${from + 1})`);
  }

  get warnings(): readonly string[] {
    return [...this.#warnings].toSorted(compareTexts);
  }

  get infos(): readonly string[] {
    return [...this.#infos].toSorted(compareTexts);
  }
}
