import type { Runtime } from '@heddle/kernel';
import type { EndpointTls } from '@heddle/wire';
import type { Registry } from '../registry/registry.ts';
import type { RegistryUrl } from './registry-url.ts';

/** What a driver gets beside the URL: all that is the same for every backend has been read and checked. */
export interface DriverWorld {
  readonly runtime: Runtime;
  /** The token or password, wherever it came from. Never logged and never part of an error. */
  readonly secret: string | undefined;
  /** Whom the secret belongs to, for a backend with users. */
  readonly user: string | undefined;
  /** To speak TLS with; undefined for a URL without `+tls`. */
  readonly tls: EndpointTls | undefined;
  /** The lease of what is registered; undefined: the backend's default. */
  readonly ttlMs: number | undefined;
  /** A text file of the machine. Rejects with a `HeddleError` that names it. */
  readonly readText: (path: string) => Promise<string>;
  /** A variable of the environment. */
  readonly variable: (name: string) => string | undefined;
}

/** How one backend is made from its URL: `adapters/<backend>/driver.ts` exports one as `driver`. */
export interface RegistryDriver {
  /** What may follow `?` beside the common ones: by name, what it means. All others are refused. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Asks no server anything. Rejects with `BAD_REGISTRY_URL`, or with what is wrong with a file that is named. */
  open(url: RegistryUrl, world: DriverWorld): Promise<Registry>;
}
