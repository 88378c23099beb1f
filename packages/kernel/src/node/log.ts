import type { Log, LogLevel } from '../ports/log.ts';

const order: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

// Who reads the lines may go away. Unheard, that error would end the program, or go round for ever in one that logs it.
let heard = false;

/** JSON lines on standard error, from `level` up (default `info`), each with `name` and the time of day. */
export function nodeLog(name: string, level: LogLevel = 'info'): Log {
  const least = order[level];
  if (!heard) process.stderr.on('error', () => {});
  heard = true;
  return (lineLevel, message, fields) => {
    if (order[lineLevel] < least) return;
    const line = { time: new Date(Date.now()).toISOString(), level: lineLevel, name, message, ...fields };
    process.stderr.write(`${JSON.stringify(line, plainErrors)}\n`);
  };
}

function plainErrors(_key: string, value: unknown): unknown {
  if (value instanceof Error) return { name: value.name, message: value.message, stack: value.stack };
  return typeof value === 'bigint' ? String(value) : value;
}
