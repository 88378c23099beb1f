import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { HeddleError } from '@heddle/kernel';
import type { Asset } from '../control-plane/console-assets.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Reads the console's files into memory, by the path under which they are served. Throws `CONSOLE_NOT_BUILT`. */
export function consoleAssets(): ReadonlyMap<string, Asset> {
  const folder = path.dirname(fileURLToPath(import.meta.resolve('@heddle/console/dist/index.html')));
  if (!existsSync(path.join(folder, 'index.html'))) {
    const message = `the console's pages are not built (${folder}); in a clone "npm run setup" does it`;
    throw new HeddleError({ code: 'failed_precondition', reason: 'CONSOLE_NOT_BUILT', message, sent: false });
  }
  const files = readdirSync(folder).filter((name) => types[path.extname(name)] !== undefined);
  const read = (name: string): Uint8Array | undefined => {
    const file = path.join(folder, name);
    return existsSync(file) ? new Uint8Array(readFileSync(file)) : undefined;
  };
  return new Map(
    files.map((name) => {
      const [br, gzip] = [read(`${name}.br`), read(`${name}.gz`)];
      const asset: Asset = {
        type: types[path.extname(name)] as string,
        bytes: read(name) as Uint8Array,
        compressed: { ...(br && { br }), ...(gzip && { gzip }) },
        hashed: /-[A-Z0-9]{8}\.\w+$/.test(name),
      };
      return [`/${name}`, asset] as const;
    }),
  );
}
