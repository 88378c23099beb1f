/** A topic as one token of a subject or name of a stream, which cannot have dots; topics cannot have `=`. */
function token(topic: string): string {
  return topic.replaceAll('.', '=');
}

/** What the engine calls things on the server. All begin with its prefix. */
export class Names {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  stream(topic: string): string {
    return `${this.#prefix}-t-${token(topic)}`;
  }

  /** The topic of a stream; undefined if it is not one of ours. */
  topicOf(stream: string): string | undefined {
    const start = `${this.#prefix}-t-`;
    return stream.startsWith(start) ? stream.slice(start.length).replaceAll('=', '.') : undefined;
  }

  messages(topic: string, partition: number | '*'): string {
    return `${this.#prefix}.t.${token(topic)}.${partition}`;
  }

  partitionOf(subject: string): number {
    return Number(subject.slice(subject.lastIndexOf('.') + 1));
  }

  /** The stream that keeps what groups are and where they are: the last message of each subject. */
  get groupStream(): string {
    return `${this.#prefix}-groups`;
  }

  get groupSubjects(): string {
    return `${this.#prefix}.g.>`;
  }

  state(topic: string, group: string): string {
    return `${this.#prefix}.g.${token(topic)}.${group}.state`;
  }

  position(topic: string, group: string, partition: number): string {
    return `${this.#prefix}.g.${token(topic)}.${group}.${partition}`;
  }

  allOfGroup(topic: string, group: string): string {
    return `${this.#prefix}.g.${token(topic)}.${group}.*`;
  }

  allOfTopic(topic: string): string {
    return `${this.#prefix}.g.${token(topic)}.>`;
  }

  allGroups(topic: string): string {
    return `${this.#prefix}.g.${token(topic)}.*.state`;
  }

  groupOf(stateSubject: string): string {
    return stateSubject.split('.').at(-2) ?? '';
  }

  get clock(): string {
    return `${this.#prefix}.g.clock`;
  }

  /** Not stored: wakes whoever listens. */
  wake(topic: string): string {
    return `${this.#prefix}.w.${token(topic)}`;
  }
}
