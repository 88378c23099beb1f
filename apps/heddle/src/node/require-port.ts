import { HeddleError } from '@heddle/kernel';
import { nodeNet } from '@heddle/kernel/node';

/**
 * The port that a child will listen on: the given one, or for 0 any free one, chosen here so that it stays the same
 * when the child is started again. Throws `failed_precondition` / `PORT_IN_USE` with what to do, if it cannot be had.
 */
export async function requirePort(
  host: string,
  port: number,
  whose: string,
  option: string,
): Promise<number> {
  try {
    const listener = await nodeNet.listen({ host, port }, (connection) => connection.destroy());
    await listener.close();
    return listener.address.port;
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
