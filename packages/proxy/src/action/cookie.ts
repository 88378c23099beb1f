import type { Fields } from '@heddle/wire';

/** The value of a cookie (RFC 6265 section 5.4); the first, where there are several of that name. */
export function cookie(fields: Fields, name: string): string | undefined {
  for (const line of fields.all('cookie')) {
    for (const pair of line.split(';')) {
      const equals = pair.indexOf('=');
      if (equals !== -1 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
    }
  }
  return undefined;
}
