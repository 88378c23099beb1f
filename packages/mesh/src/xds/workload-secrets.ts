import type { Runtime } from '@heddle/kernel';
import { type CertificateService, KeptIdentity, type SpiffeId } from '@heddle/security/identity';
import { noResources, type Resources } from './ads/resource.ts';
import { certificateSecret, rootsSecret, secretNames } from './translate/tls.ts';

/** What the secrets of workloads are made from. */
export interface WorkloadSecretsOptions {
  readonly runtime: Runtime;
  readonly service: CertificateService;
  /** Who a workload is, by `namespace/name`; undefined: it gets no certificate. */
  readonly idOf: (workload: string) => SpiffeId | undefined;
  /** A workload has another certificate than before, or believes others. */
  readonly onRenewed: (workload: string) => void;
}

/**
 * The certificates that proxies get by SDS, each with its key: made here for the workloads that ask, and renewed at two
 * thirds of their life. Whoever may open a stream as a workload gets its key, so streams are to come over loopback or
 * mutual TLS.
 */
export class WorkloadSecrets {
  readonly #options: WorkloadSecretsOptions;
  readonly #kept = new Map<string, KeptIdentity>();
  readonly #resources = new Map<string, Resources>();

  constructor(options: WorkloadSecretsOptions) {
    this.#options = options;
  }

  /** What that workload has now: nothing until its first certificate is made, which begins when it is asked for. */
  of(workload: string): Resources {
    if (!this.#kept.has(workload)) this.#begin(workload);
    return this.#resources.get(workload) ?? noResources;
  }

  /** The roots have changed: everybody gets a new certificate and the new roots. */
  async renewAll(): Promise<void> {
    await Promise.all([...this.#kept.values()].map((kept) => kept.renewNow()));
  }

  /** Renews no more. */
  close(): void {
    for (const kept of this.#kept.values()) kept.close();
  }

  #begin(workload: string): void {
    const { runtime, service, idOf, onRenewed } = this.#options;
    const id = idOf(workload);
    if (id === undefined) return;
    const kept = new KeptIdentity(runtime, async (request) => service.issue(id, request));
    this.#kept.set(workload, kept);
    kept.onRenewed(({ svid, privateKey }) => {
      const resources = [
        certificateSecret(secretNames.own, svid.certificates, privateKey),
        rootsSecret(secretNames.roots, svid.trust),
      ];
      this.#resources.set(workload, new Map(resources.map((each) => [each.name, each])));
      onRenewed(workload);
    });
    void kept.start().catch((thrown: unknown) => {
      this.#kept.delete(workload);
      runtime.log('error', 'a workload gets no certificate', { workload, message: String(thrown) });
    });
  }
}
