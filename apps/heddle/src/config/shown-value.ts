import type { ConfigValue, Difference } from '@heddle/config';

/** A value for people; of a secret only that it is one. */
export function shownValue(value: ConfigValue): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    const isSecret = typeof inner === 'object' && inner !== null && '$secret' in inner;
    return isSecret ? '[secret]' : inner;
  });
}

/** What differs, a line each: `+` for what is new, `-` for what is gone, `~` for what is another. */
export function differenceLines(found: readonly Difference[]): string {
  return found
    .map(({ key, before, after }) => {
      if (before === undefined) return `+ ${key} = ${shownValue(after ?? null)}\n`;
      if (after === undefined) return `- ${key} = ${shownValue(before)}\n`;
      return `~ ${key} = ${shownValue(before)} -> ${shownValue(after)}\n`;
    })
    .join('');
}
