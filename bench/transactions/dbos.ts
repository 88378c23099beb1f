import { DBOS } from '@dbos-inc/dbos-sdk';
import type { Subject } from './sagas.ts';

/** Workflows of three steps that do nothing. */
export async function dbosSagas(url: string): Promise<Subject> {
  DBOS.setConfig({ name: 'bench', systemDatabaseUrl: url, logLevel: 'error', runAdminServer: false });
  const workflow = DBOS.registerWorkflow(
    async (total: number) => {
      const one = await DBOS.runStep(async () => 1, { name: 'one' });
      const two = await DBOS.runStep(async () => 2, { name: 'two' });
      const three = await DBOS.runStep(async () => 3, { name: 'three' });
      return total + one + two + three;
    },
    { name: 'three' },
  );
  await DBOS.launch();
  return { name: 'dbos', once: () => workflow(7), stop: () => DBOS.shutdown() };
}
