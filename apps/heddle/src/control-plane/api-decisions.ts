import { HeddleError } from '@heddle/kernel';
import type { DecisionRecord, Stacks } from '@heddle/upstream';
import type { AdminClient } from './admin-client.ts';
import type { ConsoleRoute } from './console-api.ts';
import { wholeIn } from './console-input.ts';

/** Why calls went where they went: the decision records of all processes that can be asked. */
export function decisionRoutes(admin: AdminClient): ConsoleRoute[] {
  return [
    {
      method: 'GET',
      path: '/decisions',
      role: 'viewer',
      run: async ({ query }) => {
        const [id, limit] = [query.get('id') ?? '', wholeIn(query, 'limit', 100, 1, 1000)];
        const parameters = new URLSearchParams({ limit: String(limit) });
        if (id !== '') parameters.set('id', id);
        else if (query.get('failed') !== 'false') parameters.set('failed', '1');
        const able = await admin.able();
        const answers = await Promise.all(
          able.map(async (instance) => {
            try {
              return {
                records: await admin.ask<DecisionRecord[]>(instance, {
                  path: `/explain?${parameters.toString()}`,
                }),
              };
            } catch (thrown) {
              return { silent: { id: instance.id, why: HeddleError.from(thrown).message } };
            }
          }),
        );
        const service = query.get('service') ?? '';
        const isOf = ({ target, process, operation }: DecisionRecord): boolean =>
          service === '' ||
          target.endsWith(`/${service}`) ||
          process.startsWith(service) ||
          operation.includes(`.${service}.`);
        const records = answers
          .flatMap((answer) => answer.records ?? [])
          .filter(isOf)
          .toSorted((a, b) => (a.at < b.at ? 1 : -1));
        return {
          records: records.slice(0, limit),
          asked: able.length,
          silent: answers.flatMap((answer) => answer.silent ?? []),
        };
      },
    },
    {
      method: 'GET',
      path: '/layers/:service',
      role: 'viewer',
      run: async ({ at }) => {
        const [first] = await admin.able(at['service'] ?? '');
        return {
          stacks: first === undefined ? {} : await admin.ask<Stacks>(first, { path: '/explain/layers' }),
        };
      },
    },
  ];
}
