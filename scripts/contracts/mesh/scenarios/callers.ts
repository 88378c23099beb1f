import type { CertificateService } from '@heddle/security/identity';
import type { Place } from '../../../engines/engine.ts';
import { Caller } from './caller.ts';
import { credentialsOf, meshAuthority, shown } from './mesh-identities.ts';
import type { Ask, Said } from './plane.ts';
import { accounts } from './server-scenarios.ts';

/** Callers of one place by service account, each with a certificate of its own; a stranger's is of another mesh. */
export class Callers {
  readonly #at: Place;
  readonly #mesh: CertificateService;
  readonly #made = new Map<string, Caller>();

  constructor(at: Place, mesh: CertificateService) {
    this.#at = at;
    this.#mesh = mesh;
  }

  /** Undefined: in plaintext. */
  say(account: string | undefined, ask?: Ask): Promise<Said> {
    const known = this.#made.get(account ?? '') ?? this.#make(account);
    this.#made.set(account ?? '', known);
    return known.say(ask);
  }

  close(): void {
    for (const caller of this.#made.values()) caller.close();
  }

  #make(account: string | undefined): Caller {
    const target = `${this.#at.host}:${this.#at.port}`;
    // Channels of one target share connections: whoever proves something else needs one of its own.
    const options = {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_reconnect_backoff_ms': 200,
      'grpc.ssl_target_name_override': 'order.shop',
    };
    if (account === undefined) return new Caller(target, options);
    const isStranger = account === accounts.stranger;
    const certificate = isStranger
      ? shown(meshAuthority('elsewhere'), account, 'elsewhere')
      : shown(this.#mesh, account);
    const trusting = { ...certificate, trust: `${certificate.trust}\n${this.#mesh.trust}` };
    return new Caller(target, options, credentialsOf(trusting));
  }
}
