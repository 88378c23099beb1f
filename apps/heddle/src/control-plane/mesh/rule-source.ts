import type { ResourceFile } from '@heddle/mesh/resources';
import type { InstanceChanges } from './registry-instances.ts';

/** Objects with what is wrong with them, by the name of their file: for a source that can be told. */
export type RuleVerdicts = ReadonlyMap<string, readonly string[]>;

/** A service account of the source. */
export interface SourceAccount {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Where the rules of a mesh come from. */
export interface RuleSource {
  /** For people: `folder deploy/mesh`, `git /srv/mesh.git, main` … */
  readonly name: string;
  /** What is read next: a commit, a version; undefined where there is no such thing. */
  readonly revision: string | undefined;
  /** What lies there and is not read: files of a checkout that are not committed. */
  readonly drift: readonly string[];
  /**
   * True where objects are changed one by one, by many: one that is wrong is then refused alone. Elsewhere a change is
   * a whole, and is refused as one.
   */
  readonly isPerObject: boolean;
  /** All rules. Rejects when they cannot be read: those of before stay. */
  read(): Promise<readonly ResourceFile[]>;
  /** Calls `changed` when they may be others than before. Returns what ends that. */
  watch(changed: () => void): () => void;
  /** Of a source that knows what runs as well; called once, before the first `read`. */
  follow?(changed: (changes: InstanceChanges) => void): void;
  /**
   * Whose a token of this source's own accounts is, which a workload may show instead of a bootstrap token; undefined: it
   * is none. Rejects where the source cannot be asked.
   */
  accountOf?(token: string): Promise<SourceAccount | undefined>;
  /** Tells the source what became of its objects. */
  tell?(verdicts: RuleVerdicts): Promise<void>;
  /**
   * Makes these files the rules, as the next version. Rejects with `aborted` / `VERSION_CONFLICT` if they are not what
   * `revision` says any more.
   */
  write?(
    files: readonly ResourceFile[],
    words: { author: string; comment: string; expected: string | undefined },
  ): Promise<string>;
  close(): Promise<void>;
}
