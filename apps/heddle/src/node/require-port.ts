import { HeddleError } from '@heddle/kernel';
import { nodeNet } from '@heddle/kernel/node';

/** Throws `failed_precondition` / `PORT_IN_USE` with what to do, if `port` cannot be listened on; 0 always can. */
export async function requirePort(host: string, port: number, whose: string, option: string): Promise<void> {
  if (port === 0) return;
  try {
    const listener = await nodeNet.listen({ host, port }, (connection) => connection.destroy());
    await listener.close();
  } catch (thrown) {
    const { reason } = HeddleError.from(thrown);
    const what =
      reason === 'ADDRESS_IN_USE' ? 'is in use by another program' : 'may not be used by this user';
    const message =
      `port ${port} on ${host}, which the ${whose} wants, ${what}. ` +
      `Stop that program, or choose another port with ${option} (0: any free one).`;
    throw new HeddleError({ code: 'failed_precondition', reason: 'PORT_IN_USE', message, cause: thrown });
  }
}
