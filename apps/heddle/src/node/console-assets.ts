import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Asset } from '../control-plane/console-service.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Reads the console's files into memory, by the path under which they are served. */
export function consoleAssets(): ReadonlyMap<string, Asset> {
  const folder = path.dirname(fileURLToPath(import.meta.resolve('@heddle/console/assets/index.html')));
  const files = readdirSync(folder).filter((name) => types[path.extname(name)] !== undefined);
  return new Map(
    files.map((name) => {
      const type = types[path.extname(name)] as string;
      return [`/${name}`, { type, bytes: new Uint8Array(readFileSync(path.join(folder, name))) }] as const;
    }),
  );
}
