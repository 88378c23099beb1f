import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServiceName } from './service.ts';

/** A service of the shop as a supervisor sees it. */
export interface ShopProgram {
  /** Also its name in the registry, and of its database. */
  readonly name: ServiceName;
  /** The file that Node runs. Its configuration comes from the environment, see `config.ts`. */
  readonly main: string;
  /** Paths that the gateway sends to it: those that are this or begin with this and a `/`. */
  readonly prefix: string;
}

/** Sources in the repository, built files where the shop is installed. */
const file = (name: string): string =>
  fileURLToPath(new URL(`./${name}${path.extname(import.meta.url)}`, import.meta.url));

const program = (name: ServiceName, prefix: string): ShopProgram => ({
  name,
  prefix,
  main: file(`${name}/main`),
});

/** All of them. They may be started in any order and at once. */
export const shopPrograms: readonly ShopProgram[] = [
  program('user', '/users'),
  program('product', '/products'),
  program('inventory', '/stock'),
  program('payment', '/payments'),
  program('shipping', '/shipments'),
  program('notification', '/notifications'),
  program('order', '/orders'),
];

/** The load generator's file; see its usage. */
export const loadProgram: string = file('load/main');
