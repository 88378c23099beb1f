import { HeddleError, type Part, type Runtime } from '@heddle/kernel';
import type { ResourceFile } from '@heddle/mesh/resources';
import type { MeshRules } from './mesh-rules.ts';
import type { RuleSource } from './rule-source.ts';

/** The rules with where they come from. */
export interface RulesPartOptions {
  readonly runtime: Runtime;
  readonly source: RuleSource;
  readonly rules: MeshRules;
  /** What ends with it. */
  readonly close: () => void;
}

/** What is known of where the rules come from. */
export interface SourceView {
  readonly name: string;
  /** What is in force; undefined where there is no such thing. */
  readonly inForce: string | undefined;
  /** What there is, in force or refused. */
  readonly revision: string | undefined;
  readonly drift: readonly string[];
  /** Why it cannot be read at the moment: what is in force stays so. */
  readonly problem: string | undefined;
}

/** Kept in the data folder: a control plane that starts while the source is away or bad goes on with it. */
const lastGoodFile = 'mesh/last-good.json';

/**
 * Reads the rules at the start and with each change. Bad ones, or a source that cannot be read, leave those of before in
 * force: also those of before a restart. Where there never were any, the start fails.
 */
export class RulesPart implements Part {
  readonly name = 'mesh';
  readonly #options: RulesPartOptions;
  #inForce: string | undefined;
  #problem: string | undefined;
  #stopWatching: () => void = () => {};
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: RulesPartOptions) {
    this.#options = options;
  }

  /** For the API. */
  get view(): SourceView {
    const { name, revision, drift } = this.#options.source;
    return { name, inForce: this.#inForce, revision, drift, problem: this.#problem };
  }

  async start(): Promise<void> {
    const { source, rules, runtime } = this.#options;
    const lastGood = await readLastGood(runtime);
    source.follow?.((changes) => rules.running(changes));
    try {
      await this.#look();
    } catch (thrown) {
      if (lastGood === undefined) throw thrown;
      this.#cannotRead(thrown);
    }
    const { version, refused } = rules.view;
    if (version === 0 && lastGood !== undefined) {
      rules.offer(lastGood.files, runtime.clock.wallMs());
      this.#inForce = lastGood.revision;
      // What the newest is refused for is still to be seen.
      if (refused !== undefined) await this.#look().catch((thrown: unknown) => this.#cannotRead(thrown));
    }
    if (rules.view.version === 0 && refused !== undefined) throw badRules(refused.findings);
    this.#stopWatching = source.watch(() => void this.refresh());
  }

  async drain(): Promise<void> {
    await this.stop();
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#stopWatching();
    this.#options.close();
    await this.#options.source.close();
  }

  /** Looks again; resolves when that is done. One look after the other. */
  refresh(): Promise<void> {
    this.#looking = this.#looking
      .then(() => this.#look())
      .catch((thrown: unknown) => this.#cannotRead(thrown));
    return this.#looking;
  }

  #cannotRead(thrown: unknown): void {
    const { message } = HeddleError.from(thrown);
    if (this.#problem !== message)
      this.#options.runtime.log(
        'warn',
        'the rules of the mesh cannot be read; those of before stay in force',
        {
          message,
        },
      );
    this.#problem = message;
  }

  async #look(): Promise<void> {
    const { source, rules, runtime } = this.#options;
    const files = await source.read();
    this.#problem = undefined;
    const before = rules.view;
    if (source.isPerObject) {
      const verdicts = rules.offerEach(files, runtime.clock.wallMs());
      await source.tell?.(verdicts);
    } else if (!rules.offer(files, runtime.clock.wallMs())) {
      this.#tellRefused();
      return;
    }
    this.#inForce = source.revision;
    const { version, objects } = rules.view;
    if (version === before.version) return;
    runtime.log('info', 'the rules of the mesh have changed', {
      version,
      objects,
      revision: source.revision,
    });
    await keepLastGood(runtime, { revision: source.revision, files: rules.files });
  }

  #tellRefused(): void {
    const { rules, source, runtime } = this.#options;
    const { version, refused } = rules.view;
    runtime.log('warn', 'the rules of the mesh are refused; those of before stay in force', {
      version,
      revision: source.revision,
      findings: refused?.findings.filter(({ severity }) => severity === 'error').map(lineOf),
    });
  }
}

interface LastGood {
  readonly revision: string | undefined;
  readonly files: readonly ResourceFile[];
}

async function readLastGood({ disk }: Runtime): Promise<LastGood | undefined> {
  const known = await disk.read(lastGoodFile);
  return known === undefined ? undefined : (JSON.parse(Buffer.from(known).toString()) as LastGood);
}

async function keepLastGood({ disk }: Runtime, lastGood: LastGood): Promise<void> {
  await disk.replace(lastGoodFile, Buffer.from(JSON.stringify(lastGood)));
}

type Findings = NonNullable<MeshRules['view']['refused']>['findings'];

function lineOf({ file, line, code, message }: Findings[number]): string {
  return `${file}:${line}: ${code}: ${message}`;
}

/** What is wrong with rules that are refused, all of it. */
export function badRules(findings: Findings): HeddleError {
  const errors = findings.filter(({ severity }) => severity === 'error').map(lineOf);
  const message = `the rules of the mesh have ${errors.length === 1 ? 'an error' : `${errors.length} errors`}:\n${errors.join('\n')}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_RULES', message, sent: false });
}
