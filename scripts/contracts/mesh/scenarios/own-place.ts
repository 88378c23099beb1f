import { randomInt } from 'node:crypto';
import type { Place } from '../../../engines/engine.ts';
import { freePort } from '../../../engines/running.ts';

/**
 * A place for a proxy to listen. On Linux all of 127/8 is loopback: at an address that nobody else uses, no connection
 * of another program can have taken the port in the meantime.
 */
export async function ownPlace(): Promise<Place> {
  const port = await freePort();
  if (process.platform !== 'linux') return { host: '127.0.0.1', port };
  return { host: `127.${randomInt(64, 250)}.${randomInt(250)}.${randomInt(1, 250)}`, port };
}
