/** From the least to the most serious. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * Writes one structured line. `message` is a constant sentence; what varies goes into `fields`.
 * Must not throw and must not block. Callers never pass a secret.
 */
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;
