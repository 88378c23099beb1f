import { X509Certificate } from 'node:crypto';
import { HeddleError } from '@heddle/kernel';
import { asked, type MeshAccess } from './api-mesh-ask.ts';
import type { ConsoleRoute } from './console-api.ts';
import { optional, readInput, text, whole } from './console-input.ts';

/** What the mesh's authority is believed for, and tokens by which a workload gets its first certificate. */
export function certificateRoutes(work: MeshAccess): ConsoleRoute[] {
  return [
    {
      method: 'GET',
      path: '/certificates',
      role: 'viewer',
      run: async ({ call }) => {
        if (work.mesh === undefined) return { served: false, roots: [] };
        const { trust } = await asked<{ trust: string }>(work, 'GET', '/v1/mesh/roots', undefined, call);
        return { served: true, roots: pemIn(trust).map(shown), trust };
      },
    },
    {
      method: 'POST',
      path: '/certificates/tokens',
      role: 'admin',
      run: async ({ body, call, note }) => {
        const given = readInput(body, {
          spiffeId: text(500),
          lifeMs: optional(whole(1000, 86_400_000)),
          why: optional(text(500, 0)),
        });
        const { spiffeId, lifeMs = 600_000 } = given;
        const made = await asked<{ token: string }>(
          work,
          'POST',
          '/v1/mesh/tokens',
          { spiffeId, lifeMs },
          call,
        );
        note({ after: { spiffeId, lifeMs } });
        return made;
      },
    },
  ];
}

function pemIn(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

function shown(pem: string): object {
  try {
    const { subject, issuer, serialNumber, validFrom, validTo, fingerprint256, subjectAltName } =
      new X509Certificate(pem);
    return {
      subject: subject.replaceAll('\n', ', '),
      issuer: issuer.replaceAll('\n', ', '),
      serialNumber,
      fromMs: Date.parse(validFrom),
      toMs: Date.parse(validTo),
      fingerprint: fingerprint256,
      names: subjectAltName ?? '',
    };
  } catch (cause) {
    const message = 'the mesh tells a root that cannot be read';
    throw new HeddleError({ code: 'data_loss', reason: 'BAD_CERTIFICATE', message, cause });
  }
}
