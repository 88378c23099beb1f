import type { TlsMaterial, TlsSource } from '../ports/tls.ts';
import { compileMaterial } from './tls-material.ts';

/**
 * Material that can be renewed while servers and clients use it: their next handshake takes the new. Open connections
 * go on with what they began with. Sessions of clients are not resumed across an update, so that one who is no longer
 * trusted cannot come in by a ticket.
 */
export class TlsStore implements TlsSource {
  #current: TlsMaterial;

  /** Throws as `update` does. */
  constructor(material: TlsMaterial) {
    compileMaterial(material);
    this.#current = material;
  }

  get current(): TlsMaterial {
    return this.#current;
  }

  /**
   * Throws `invalid_argument` for what cannot be used, and the old stays: `CERTIFICATE_INVALID` where it cannot be read,
   * `KEY_MISMATCH` where a key is not that of its certificate.
   */
  update(material: TlsMaterial): void {
    compileMaterial(material);
    this.#current = material;
  }
}
