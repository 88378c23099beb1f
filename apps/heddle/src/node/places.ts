// Where the files lie that are run or read by name: in the repository, and where the packages are installed.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The path of a module of this package beside the one that asks (`import.meta.url`): `.ts` in the repository, `.js` as published. */
export function ownFile(name: string, asking: string): string {
  return fileURLToPath(new URL(name.replace(/\.ts$/, path.extname(asking)), asking));
}

/** A file of the demo shop by what it exports, such as `user/main` or `gateway.yaml`. */
export function shopFile(name: string): string {
  return fileURLToPath(import.meta.resolve(`@heddle/example-shop/${name}`));
}

/** The gateway's configuration where nobody has given one: it forwards nothing. */
export function withoutRoutes(): string {
  return fileURLToPath(new URL('../../files/no-routes.yaml', import.meta.url));
}

/** The service that `heddle new` copies. */
export function templateFolder(name: string): string {
  return packedOr('template', `examples/${name}`);
}

/** What `heddle add` copies, each kind a folder. */
export function piecesFolder(): string {
  return packedOr('pieces', 'examples/pieces/src');
}

/** A folder that is packed with the command, or lies elsewhere in the repository. */
function packedOr(name: string, elsewhere: string): string {
  const packed = fileURLToPath(new URL(`../../${name}`, import.meta.url));
  return existsSync(packed) ? packed : fileURLToPath(new URL(`../../../../${elsewhere}`, import.meta.url));
}
