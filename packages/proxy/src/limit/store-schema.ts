import type { StoreFailure } from '@heddle/traffic';
import { object, oneOf, type Read, text, whole } from '../model/document.ts';

/** Where several gateways count together; the key `rateLimitStore` of a gateway file. */
export interface RateLimitStoreConfig {
  /** `redis://host:port/db`, or `rediss:` for TLS. */
  redis: string;
  /** The name under which the gateway is given the password. */
  passwordEnv?: string;
  /** Before every key. Gateways that share limits have the same. Default `heddle:rate:`. */
  prefix?: string;
  /** What holds while it cannot be asked. Default `local`: the same limits, counted by this gateway alone. */
  onFailure?: StoreFailure;
  /** How long it may take. Default 250. */
  timeoutMs?: number;
}

/** Reads the key `rateLimitStore` of a gateway file. */
export const rateLimitStore: Read<RateLimitStoreConfig> = object<RateLimitStoreConfig>(
  {
    redis: text('redis://host:port or rediss://host:port, without a password', isPlace),
    passwordEnv: text('the name of an environment variable', (value) => /^[A-Z][A-Z0-9_]*$/.test(value)),
    prefix: text('1 to 100 visible characters without braces', (value) => /^[^\s{}]{1,100}$/.test(value)),
    onFailure: oneOf('local', 'open', 'closed'),
    timeoutMs: whole(1, 10_000),
  },
  ['redis'],
);

/** A password in a file would be shown by whatever shows the file. */
function isPlace(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, password, pathname, search, hash } = new URL(value);
  const known = protocol === 'redis:' || protocol === 'rediss:';
  return (
    known && hostname !== '' && password === '' && search + hash === '' && /^(\/\d{0,4})?$/.test(pathname)
  );
}
