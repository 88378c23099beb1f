import { HeddleError, type Runtime } from '@heddle/kernel';
import {
  badConfig,
  type ConfigDocument,
  type GatewayConfig,
  GatewayVersions,
  jsonAnswer,
  type Version,
} from '@heddle/proxy';
import type { HttpService } from '@heddle/wire';
import { adminService } from './admin-service.ts';
import type { Engines } from './engines.ts';
import { checkPolicies } from './mesh-policies.ts';
import type { Materials, Serving } from './serving.ts';

/** What `Operations` is made from. */
export interface OperationsOptions {
  readonly runtime: Runtime;
  /** Reads the files anew. */
  readonly read: () => readonly ConfigDocument[];
  /** Reads the certificates that a configuration names. */
  readonly readTls: (config: GatewayConfig) => Materials;
  /** Of the admin API; undefined: there is none. */
  readonly token: string | undefined;
  /** What settings add to a configuration before it is served. Default: nothing. */
  readonly overlay?: (config: GatewayConfig) => GatewayConfig;
  /** Where settings come from, for the admin API. */
  readonly settings?: () => object;
}

/** Keeps what is served in step with the files and with what operators ask for. */
export class Operations {
  readonly versions: GatewayVersions;
  readonly #options: OperationsOptions;
  #engines: Engines | undefined;
  /** What the last look at the files has found: who has rolled back is not overtaken by files that have not changed. */
  #seen = '';
  /** What the socket was opened with. */
  #listener: string | undefined;
  /** The certificates that are shown now. */
  #tls: string | undefined;

  constructor(options: OperationsOptions) {
    this.#options = options;
    this.versions = new GatewayVersions({
      clock: options.runtime.clock,
      policies: checkPolicies,
      // The first version is what engines are made with.
      apply: async (config) => {
        const tls = options.readTls(config);
        this.#tls = JSON.stringify(tls);
        await this.#engines?.apply({ config: this.#overlaid(config), tls });
      },
    });
  }

  /** Reads the files and gives what to begin with. Rejects as `GatewayVersions.apply` does. */
  async begin(): Promise<Serving> {
    const { config } = await this.#apply(this.#read(), 'start');
    return { config: this.#overlaid(config), tls: this.#options.readTls(config) };
  }

  /** Serves what is served now with what settings have become; what is wrong is logged. */
  async settingsChanged(): Promise<void> {
    const { current } = this.versions;
    const { log } = this.#options.runtime;
    if (current === undefined) return;
    try {
      const { config } = current;
      await this.#engines?.apply({ config: this.#overlaid(config), tls: this.#options.readTls(config) });
      log('info', 'the settings of the gateway have changed');
    } catch (thrown) {
      log('error', 'settings are refused, and those before go on', { error: HeddleError.from(thrown) });
    }
  }

  #overlaid(config: GatewayConfig): GatewayConfig {
    return this.#options.overlay?.(config) ?? config;
  }

  /** From now on changes go to these. */
  serveBy(engines: Engines): void {
    this.#engines = engines;
  }

  /** Serves what the files hold. Rejects as `GatewayVersions.apply` does; what was served then goes on. */
  reload(why: string): Promise<Version> {
    return this.#apply(this.#read(), why);
  }

  /** As `reload` if the files have changed since the last look; what is wrong is logged. */
  async look(): Promise<void> {
    try {
      const before = this.#seen;
      const documents = this.#read();
      if (this.#seen !== before) await this.#apply(documents, 'file');
    } catch {
      // It is logged and remembered as refused.
    }
    await this.#lookAtCertificates();
  }

  /** Metrics for whoever asks, and the admin API for those who have the token. */
  get service(): HttpService {
    const { token, settings = () => ({}) } = this.#options;
    const engines = this.#engines;
    if (engines === undefined)
      throw new HeddleError({ code: 'internal', reason: 'NO_ENGINES', message: 'begin first' });
    if (token === undefined)
      return async (req, call) =>
        req.path === '/metrics'
          ? engines.metrics(req, call)
          : jsonAnswer(403, { reason: 'NO_ADMIN_TOKEN', message: 'HEDDLE_ADMIN_TOKEN is not set' });
    return adminService({
      versions: this.versions,
      engines,
      token,
      settings,
      reload: (why) => this.reload(why),
    });
  }

  /** Certificates that were renewed on the disk are no other version: nothing of what is served changes. */
  async #lookAtCertificates(): Promise<void> {
    const { runtime, readTls } = this.#options;
    const { current } = this.versions;
    try {
      if (current === undefined) return;
      const tls = readTls(current.config);
      const text = JSON.stringify(tls);
      if (text === this.#tls) return;
      await this.#engines?.renew(tls);
      this.#tls = text;
      const certificates = (tls.listen?.identities.length ?? 0) + Object.keys(tls.servers).length;
      runtime.log('info', 'other certificates are shown', { certificates });
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      runtime.log('error', 'certificates cannot be used, and those before go on', { error });
    }
  }

  #read(): readonly ConfigDocument[] {
    const documents = this.#options.read();
    this.#seen = JSON.stringify(documents);
    return documents;
  }

  async #apply(documents: readonly ConfigDocument[], why: string): Promise<Version> {
    const { log } = this.#options.runtime;
    const before = this.versions.current;
    try {
      const version = await this.versions.apply(documents, why);
      if (version !== before) this.#tell(version);
      return version;
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (before !== undefined)
        log('error', 'a configuration is refused, and the one before goes on', { why, error });
      throw error;
    }
  }

  #tell({ id, why, config, kept }: Version): void {
    const { log } = this.#options.runtime;
    for (const { source, error } of kept)
      log('error', `${source} cannot be read, and goes on with what it held: ${error.message}`);
    for (const { at, source, match, kept: goesOn, problems } of config.quarantined) {
      const refused =
        match === undefined
          ? 'is not served, and its requests may meet other routes'
          : 'is not served, and its requests are refused';
      log('error', `${at} ${goesOn ? 'goes on as it was' : refused}: ${badConfig(source, problems).message}`);
    }
    this.#listener ??= listenerOf(config);
    if (this.#listener !== listenerOf(config))
      log(
        'warn',
        'how the gateway listens (address, ports, limits of connections, TLS or not) changes with its next start',
      );
    if (id > 1)
      log('info', 'another configuration is served', { version: id, why, routes: config.routes.length });
  }
}

/** What of a configuration goes into the making of the socket. */
function listenerOf({
  listen,
  limits: { maxRequests: _, maxBodyBytes: __, ...limits },
  tls,
  servers,
}: GatewayConfig): string {
  const ports = new Set(servers.map(({ port }) => port));
  return JSON.stringify([
    listen,
    limits,
    tls === undefined,
    tls?.clients,
    [...ports].toSorted((a, b) => a - b),
  ]);
}
