import type { Runtime } from '@heddle/kernel';
import type { Instance } from '../registry/instance.ts';

const timeoutMs = 1000;

/** Whether something still accepts connections at the instance's address, within a second. */
export async function answersTcp(runtime: Runtime, { address, port }: Instance): Promise<boolean> {
  try {
    const connection = await runtime.net.connect({ host: address, port }, { timeoutMs });
    connection.open({ data: nothing, end: nothing, drain: nothing, close: nothing });
    connection.destroy();
    return true;
  } catch {
    return false;
  }
}

function nothing(): void {}
