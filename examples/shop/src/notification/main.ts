import { idempotencyKey } from '@heddle/kernel';
import { invalid } from '../fields.ts';
import { httpApi } from '../http-api.ts';
import { runShopService } from '../service.ts';
import { noticeOf } from './notice.ts';
import { addNotice, listNotices, notificationMigrations } from './notification-store.ts';

await runShopService({
  name: 'notification',
  migrations: notificationMigrations,
  compose: ({ pool, runtime }) => ({
    http: httpApi({
      'POST /notifications': async ({ call, json }) => {
        const key = call.get(idempotencyKey);
        if (key === undefined)
          throw invalid('the field idempotency-key is needed: nobody wants the same letter twice');
        const created = await addNotice(pool, noticeOf(await json(), `n-${runtime.random.uuid()}`), key);
        return { status: created ? 201 : 200, body: { created } };
      },
      'GET /notifications': async ({ query }) => {
        const [userId, orderId] = [query.get('userId'), query.get('orderId')];
        if ((userId === null) === (orderId === null))
          throw invalid('ask for the letters of one userId or about one orderId');
        const notices = await listNotices(pool, orderId === null ? 'user' : 'order', orderId ?? userId ?? '');
        return { status: 200, body: { notices } };
      },
    }),
  }),
});
