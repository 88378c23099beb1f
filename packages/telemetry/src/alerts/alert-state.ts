import { type Disk, HeddleError } from '@heddle/kernel';
import { afterRestart } from './notify/notify-step.ts';
import type { NotifyState } from './notify/notify-state.ts';
import type { RuleState } from './rules/rule-step.ts';

const version = 1;

/** All that must survive a restart. */
export interface AlertState {
  /** When it was written. */
  readonly savedAtMs: number;
  readonly rules: Readonly<Record<string, RuleState>>;
  readonly notify: NotifyState;
}

/**
 * Keeps the state in one file that is replaced as a whole, beside the store that the rules are evaluated over: the engine that
 * owns that store is the only writer here too, and alerts go on where there is no database.
 */
export class AlertStateFile {
  readonly #disk: Disk;
  readonly #path: string;

  constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.#path = path;
  }

  /** What the last process has left; undefined for the first. Rejects with `data_loss` for what is no such file. */
  async load(nowMs: number): Promise<AlertState | undefined> {
    const bytes = await this.#disk.read(this.#path);
    if (bytes === undefined) return undefined;
    const saved = parsed(new TextDecoder().decode(bytes));
    if (saved?.version !== version) throw damaged(this.#path);
    const { savedAtMs, rules, notify } = saved.state;
    return { savedAtMs, rules, notify: afterRestart(notify, nowMs) };
  }

  save(state: AlertState): Promise<void> {
    return this.#disk.replace(this.#path, new TextEncoder().encode(JSON.stringify({ version, state })));
  }
}

function parsed(text: string): { version: number; state: AlertState } | undefined {
  try {
    return JSON.parse(text) as { version: number; state: AlertState };
  } catch {
    return undefined;
  }
}

function damaged(path: string): HeddleError {
  const message = `${path}: expected the state of alerts, version ${version}; move it away to begin anew`;
  return new HeddleError({ code: 'data_loss', reason: 'ALERT_STATE', message, sent: false });
}
