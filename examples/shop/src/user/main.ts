import { UserService } from '../gen/shop/user/v1/user_pb.ts';
import { httpApi } from '../http-api.ts';
import { idempotencyKey } from '@heddle/kernel';
import { runShopService } from '../service.ts';
import { newUser } from './user.ts';
import { addUser, fillUsers, findUser, userMigrations } from './user-store.ts';

await runShopService({
  name: 'user',
  migrations: userMigrations,
  fill: fillUsers,
  compose: ({ pool, runtime }) => ({
    rpc: (router) =>
      router.service(UserService, {
        getUser: async ({ userId }) => ({ user: await findUser(pool, userId) }),
      }),
    http: httpApi({
      'GET /users/{userId}': async ({ parameters }) => ({
        status: 200,
        body: await findUser(pool, parameters['userId'] ?? ''),
      }),
      'POST /users': async ({ call, json }) => {
        const wanted = newUser(await json(), `u-${runtime.random.uuid()}`);
        const { user, created } = await addUser(pool, wanted, call.get(idempotencyKey));
        return { status: created ? 201 : 200, body: user };
      },
    }),
  }),
});
