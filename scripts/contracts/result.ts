// What a contract suite says, for people, for the tables of the documentation and for `npm test`.

/** One line: what an engine, or we before an engine's eyes, did with a case. */
export interface ContractResult {
  readonly backend: string;
  /** Of the backend; empty where it has none. */
  readonly version: string;
  readonly case: string;
  /** `unsupported`: documented as not to be had. `skipped`: there was no engine on this machine; `detail` says why. */
  readonly status: 'pass' | 'fail' | 'skipped' | 'unsupported';
  readonly detail?: string;
  /** How long it took, with the making of its stage. */
  readonly tookMs?: number;
}

/** A suite against one backend. Rejects only when it is broken itself. */
export interface Contract {
  readonly backend: string;
  /** `only` chooses among the cases by their names, where the suite can choose; all, if left out. */
  run(only?: (name: string) => boolean): Promise<readonly ContractResult[]>;
}

/** The one result of a suite that could not be run. */
export function skippedWhole(backend: string, reason: string): ContractResult[] {
  return [{ backend, version: '', case: 'all', status: 'skipped', detail: reason }];
}

/** Runs a case: it passes unless it rejects. */
export async function resultOf(
  backend: string,
  version: string,
  name: string,
  run: () => Promise<void>,
): Promise<ContractResult> {
  try {
    await run();
    return { backend, version, case: name, status: 'pass' };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { backend, version, case: name, status: 'fail', detail };
  }
}
