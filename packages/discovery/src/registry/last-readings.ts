/** What the texts that are remembered may come to together; beyond it, all is read anew. */
const mostCharacters = 16 * 1024 * 1024;

/**
 * Remembers what was made of the last answer about each service: most questions get the answer that the last one got,
 * and reading one costs more than asking for it.
 */
export class LastReadings<T> {
  readonly #make: (service: string, text: string) => T;
  readonly #last = new Map<string, { readonly text: string; readonly reading: T }>();
  #characters = 0;

  /** `make` must give the same for the same text, at any time. */
  constructor(make: (service: string, text: string) => T) {
    this.#make = make;
  }

  /** What was made of this text, which is an answer about the service. */
  read(service: string, text: string): T {
    const last = this.#last.get(service);
    if (last?.text === text) return last.reading;
    const reading = this.#make(service, text);
    this.#characters += text.length - (last?.text.length ?? 0);
    if (this.#characters > mostCharacters) {
      this.#last.clear();
      this.#characters = text.length;
    }
    this.#last.set(service, { text, reading });
    return reading;
  }
}
