import { HeddleError } from '@heddle/kernel';

/** The first release of each line without known holes. */
const oldestSafe: Readonly<Record<number, readonly [minor: number, patch: number]>> = {
  24: [18, 1],
  26: [5, 1],
};

/** Throws `failed_precondition` / `NODE_TOO_OLD` unless `version` (as `process.versions.node`) may run servers. */
export function requireNode(version: string): void {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const oldest = oldestSafe[major];
  const safe =
    oldest === undefined ? major > 26 : minor > oldest[0] || (minor === oldest[0] && patch >= oldest[1]);
  if (safe) return;
  const message =
    `Heddle needs Node 24.18.1 or newer of line 24, or 26.5.1 or newer, because older ones have known holes; ` +
    `this is Node ${version}. Install a newer one, or start Heddle by its npm scripts, which bring their own.`;
  throw new HeddleError({ code: 'failed_precondition', reason: 'NODE_TOO_OLD', message });
}
