import type { ConfigValue } from '../version/values.ts';

/**
 * Values from variables: with the prefix `SHOP`, `SHOP_POOL__MAX=5` is `pool.max`, and `SHOP_LOG_LEVEL` is `logLevel`.
 * What reads as JSON is that, all else is text.
 */
export function environmentValues(
  prefix: string,
  variables: Readonly<Record<string, string | undefined>>,
): { readonly values: Readonly<Record<string, ConfigValue>>; readonly names: ReadonlyMap<string, string> } {
  const values: Record<string, ConfigValue> = {};
  const names = new Map<string, string>();
  for (const [name, text] of Object.entries(variables).toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    if (text === undefined || !name.startsWith(`${prefix}_`)) continue;
    const parts = name.slice(prefix.length + 1).split('__');
    if (parts.some((part) => !/^[A-Z0-9]+(?:_[A-Z0-9]+)*$/.test(part))) continue;
    const key = parts.map(camel).join('.');
    values[key] = valueOf(text);
    names.set(key, name);
  }
  return { values, names };
}

function camel(part: string): string {
  return part.toLowerCase().replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function valueOf(text: string): ConfigValue {
  try {
    return JSON.parse(text) as ConfigValue;
  } catch {
    return text;
  }
}
