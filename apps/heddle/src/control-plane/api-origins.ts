import type { Instance } from '@heddle/discovery';
import { HeddleError } from '@heddle/kernel';
import type { AdminClient } from './admin-client.ts';
import type { ConsoleRoute } from './console-api.ts';

/** Which layer has given an instance each of its values, as its admin port tells. */
interface Told {
  readonly source?: string;
  readonly settings: readonly { readonly key: string; readonly from: unknown }[];
}

/** Where running instances have their values from: default, file, environment, or which version of the config centre. */
export function originRoutes(admin: AdminClient): ConsoleRoute[] {
  const told = async (instance: Instance): Promise<object> => {
    const { id } = instance;
    try {
      return { id, ...(await admin.ask<Told>(instance, { path: '/settings' })), error: null };
    } catch (thrown) {
      // One that cannot be asked is told as that, beside the others.
      return { id, settings: [], error: HeddleError.from(thrown).message };
    }
  };
  return [
    {
      method: 'GET',
      path: '/origins/:service',
      role: 'viewer',
      run: async ({ at }) => ({
        instances: await Promise.all((await admin.able(at['service'] ?? '')).map(told)),
      }),
    },
  ];
}
