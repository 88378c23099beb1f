import type { Instance } from './instance.ts';
import { readInstance } from './validate-instance.ts';

/** More than most fleets have instances; beyond it everything is read anew. */
const most = 50_000;

/**
 * Reads instances that a backend keeps as JSON, and remembers what it has made of a text: entries rarely change, and
 * reading one costs more than asking for it.
 */
export class InstanceTexts {
  readonly #known = new Map<string, Instance | undefined>();

  /** The instance, or undefined for what is none. */
  read(value: Uint8Array): Instance | undefined {
    const text = new TextDecoder().decode(value);
    const known = this.#known.get(text);
    if (known !== undefined || this.#known.has(text)) return known;
    if (this.#known.size >= most) this.#known.clear();
    const { instance } = readInstance(parse(text));
    this.#known.set(text, instance);
    return instance;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
