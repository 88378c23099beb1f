import type { OpenStore } from '@heddle/proxy';
import { type RedisPlace, RedisRateStore } from '@heddle/traffic/redis';

/** Opens the Redis that a configuration names. */
export const openRedisStore: OpenStore = ({ redis, prefix, timeoutMs }, password, runtime) =>
  new RedisRateStore({
    runtime,
    redis: placeOf(redis, password),
    ...(prefix !== undefined && { prefix }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  });

function placeOf(url: string, password: string | undefined): RedisPlace {
  const { protocol, hostname, port, pathname, username } = new URL(url);
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 6379),
    db: Number(pathname.slice(1) || 0),
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== undefined && { password }),
    ...(protocol === 'rediss:' && { tls: {} }),
  };
}
