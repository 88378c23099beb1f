import { type Json, textOf } from '../fields.ts';

/** A letter to a customer. */
export interface Notice {
  readonly noticeId: string;
  readonly userId: string;
  readonly orderId: string;
  readonly subject: string;
  readonly text: string;
}

/** Reads what `POST /notifications` brings and writes the letter. Rejects with `INVALID_FIELD`. */
export function noticeOf(body: Json, noticeId: string): Notice {
  const [userId, orderId] = [textOf(body, 'userId', 60), textOf(body, 'orderId', 60)];
  const [name, total] = [textOf(body, 'name', 100), textOf(body, 'total', 30)];
  const tracking = textOf(body, 'trackingCode', 60);
  const text = `Dear ${name}, your order ${orderId} over ${total} is on its way. Follow it with ${tracking}.`;
  return { noticeId, userId, orderId, subject: `Your order ${orderId}`, text };
}
