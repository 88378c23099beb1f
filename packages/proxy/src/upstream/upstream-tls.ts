import { HeddleError, type Runtime, type TlsMaterial } from '@heddle/kernel';
import type { EndpointTls } from '@heddle/wire';
import type { UpstreamTls } from './upstream-schema.ts';

/** Gives the files that a configuration names; undefined for one that is not there. */
export type ReadFile = (name: string) => Uint8Array | undefined;

/** Files that were renewed are looked for no more often than this, when a connection is made. */
const freshMs = 5000;

/**
 * TLS as the files say. They are read again for later handshakes, so that certificates may be renewed without a reload;
 * what cannot be read any more goes on as it was. Throws `failed_precondition` / `FILE_MISSING`.
 */
export function upstreamTls(config: UpstreamTls, files: ReadFile, runtime: Runtime): EndpointTls {
  const { serverName, peerUri } = config;
  let material = read(config, files);
  let readMs = runtime.clock.nowMs();
  const source = {
    get current(): TlsMaterial {
      const nowMs = runtime.clock.nowMs();
      if (nowMs - readMs < freshMs) return material;
      readMs = nowMs;
      try {
        const found = read(config, files);
        // The same object where nothing has changed: what was prepared for it is used again.
        if (JSON.stringify(found) !== JSON.stringify(material)) material = found;
      } catch (thrown) {
        const error = HeddleError.from(thrown);
        runtime.log('error', 'what TLS to an upstream needs cannot be read, and goes on as it was', {
          error,
        });
      }
      return material;
    },
  };
  return {
    source,
    ...(serverName !== undefined && { serverName }),
    ...(peerUri !== undefined && { peerUri }),
  };
}

function read({ ca, cert, key }: UpstreamTls, files: ReadFile): TlsMaterial {
  const identities =
    cert === undefined || key === undefined
      ? []
      : [{ certificates: textOf(cert, files), privateKey: textOf(key, files) }];
  return { identities, ...(ca !== undefined && { trust: textOf(ca, files) }) };
}

function textOf(name: string, files: ReadFile): string {
  const bytes = files(name);
  if (bytes !== undefined) return new TextDecoder().decode(bytes);
  const message = `the file ${name} is not there: TLS to an upstream needs it`;
  throw new HeddleError({ code: 'failed_precondition', reason: 'FILE_MISSING', message, sent: false });
}
