import { type Given, usageError } from '../command.ts';

/** A number of seconds, from a thousandth on. */
export function secondsOf(given: Given, option: string, fallback: number): number {
  const text = given.text(option);
  if (text === undefined) return fallback;
  const seconds = /^\d{1,9}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds > 0) return seconds;
  throw usageError(`--${option} expects seconds, more than 0, found "${text}"`);
}

/** A whole number, 0 or more. */
export function wholeOf(given: Given, option: string, fallback: number): number {
  const text = given.text(option);
  if (text === undefined) return fallback;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw usageError(`--${option} expects a whole number, 0 or more, found "${text}"`);
}
