import type { Call } from '@heddle/kernel';
import { within } from '@heddle/rpc';
import type { TccAnswer, TccRequest } from '@heddle/data/tcc';
import type { TxAnswer, TxRequest } from '@heddle/data/twophase';
import { ParticipantService } from '../gen/shop/tx/v1/tx_pb.ts';
import type { Surroundings } from '../service.ts';
import type { CheckoutOptions } from './checkout.ts';

/** Those who take part in the transactions of an order, over the network. */
export function networkBranches(rpc: Surroundings['rpc']): CheckoutOptions['branches'] {
  const branch = (name: 'inventory' | 'payment' | 'shipping'): CheckoutOptions['branches']['inventory'] => {
    const client = rpc(name, ParticipantService);
    return {
      tcc: async ({ payload, op, tx, branch: id }: TccRequest, call: Call): Promise<TccAnswer> => {
        const asked = { op, tx, branch: id, payload: JSON.stringify(payload) };
        const { done } = await client.tcc(asked, within(call));
        return { done };
      },
      twoPhase: async (request: TxRequest, call: Call): Promise<TxAnswer> => {
        const payload = request.op === 'prepare' ? JSON.stringify(request.payload) : '';
        const { op, tx, branch: id } = request;
        const { result } = await client.twoPhase({ op, tx, branch: id, payload }, within(call));
        return { result: result === '' ? undefined : (JSON.parse(result) as unknown) };
      },
    };
  };
  return { inventory: branch('inventory'), payment: branch('payment'), shipping: branch('shipping') };
}
