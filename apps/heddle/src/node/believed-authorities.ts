import type { TlsMaterial, TlsSource } from '@heddle/kernel';
import { HeddleError } from '@heddle/kernel';
import { readTextFile } from './config-file.ts';

/**
 * The authorities in a file (PEM), for a client, read again for each handshake: roots are rotated while we run. A file
 * that cannot be read then is one that is being written. Throws `FILE_UNREADABLE`, and `NO_AUTHORITY` for one without any.
 */
export function believedAuthorities(file: string): TlsSource {
  let known = materialIn(file);
  return {
    get current(): TlsMaterial {
      try {
        const now = materialIn(file);
        // The same object as long as it is the same: what is made of it is kept by it.
        if (now.trust !== known.trust) known = now;
      } catch {
        // Those of before are believed on.
      }
      return known;
    },
  };
}

function materialIn(file: string): TlsMaterial {
  const trust = readTextFile(file, 'certificate of an authority');
  if (trust.includes('-----BEGIN CERTIFICATE-----')) return { identities: [], trust };
  const message = `${file}: expected certificates of authorities in PEM, found none`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'NO_AUTHORITY', message, sent: false });
}
