import { HeddleError } from '@heddle/kernel';

/** The keys that open secrets, by their names. They never lie where the configuration lies. */
export interface KeyRing {
  /** Seals what is new. */
  readonly current: string;
  /** 32 bytes each. Old ones stay until nothing is sealed with them. */
  readonly keys: ReadonlyMap<string, Uint8Array>;
}

/**
 * Reads lines `name:key`, the key as 64 hexadecimal digits (`openssl rand -hex 32`); the first is the current one.
 * Throws `invalid_argument` / `BAD_KEY_RING`, which never shows a key.
 */
export function readKeyRing(text: string): KeyRing {
  const keys = new Map<string, Uint8Array>();
  const problems: string[] = [];
  const lines = text.split('\n').map((line) => line.trim());
  for (const [at, line] of lines.entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name = '', digits = ''] = /^([A-Za-z0-9._-]{1,60}):([0-9a-fA-F]{64})$/.exec(line) ?? [];
    if (name === '') problems.push(`line ${at + 1}: expected name:key with 64 hexadecimal digits`);
    else if (keys.has(name)) problems.push(`line ${at + 1}: the name "${name}" is there already`);
    else keys.set(name, Uint8Array.from(Buffer.from(digits, 'hex')));
  }
  const [current] = keys.keys();
  if (current === undefined && problems.length === 0)
    problems.push('expected at least one line name:key, found none');
  if (current === undefined || problems.length > 0) throw badKeyRing(problems);
  return { current, keys };
}

function badKeyRing(problems: readonly string[]): HeddleError {
  const message = `the keys for secrets: ${problems.join('; ')}; make a key with: openssl rand -hex 32`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_KEY_RING', message, sent: false });
}
