import { HeddleError } from '@heddle/kernel';
import type { AuditLog } from './audit-log.ts';
import type { Access } from './auth-access.ts';
import { roles, type Users } from './auth-users.ts';
import type { ConsoleRoute } from './console-api.ts';
import { oneOf, readInput, text, wholeIn } from './console-input.ts';

/** Users and the audit log, for admins; one's own password for everybody. */
export function accountRoutes(users: Users, access: Access, audit: AuditLog): ConsoleRoute[] {
  return [
    { method: 'GET', path: '/users', role: 'admin', run: () => ({ users: users.all }) },
    {
      method: 'POST',
      path: '/users',
      role: 'admin',
      run: async ({ body, note }) => {
        const { name, role, password } = readInput(body, {
          name: text(64),
          role: oneOf(roles),
          password: text(200),
        });
        const user = await users.add(name, role, password);
        note({ after: user });
        return user;
      },
    },
    {
      method: 'PUT',
      path: '/users/:name/role',
      role: 'admin',
      run: async ({ at, body, note }) => {
        const { role } = readInput(body, { role: oneOf(roles) });
        const before = users.get(at['name'] ?? '');
        const after = await users.setRole(at['name'] ?? '', role);
        note({ before, after });
        return after;
      },
    },
    {
      method: 'PUT',
      path: '/users/:name/password',
      role: 'admin',
      run: async ({ at, body }) => {
        const { password } = readInput(body, { password: text(200) });
        const user = await users.setPassword(at['name'] ?? '', password);
        access.sessions.endOf(user.name);
        return user;
      },
    },
    {
      method: 'DELETE',
      path: '/users/:name',
      role: 'admin',
      run: async ({ at, note }) => {
        const before = users.get(at['name'] ?? '');
        await users.remove(at['name'] ?? '');
        access.sessions.endOf(at['name'] ?? '');
        note({ before });
        return {};
      },
    },
    {
      method: 'PUT',
      path: '/me/password',
      role: 'viewer',
      run: async ({ who, body }) => {
        const given = readInput(body, { password: text(200), before: text(200) });
        if (who.session?.kind !== 'local' || (await users.check(who.name, given.before)) === undefined)
          return wrongPassword();
        await users.setPassword(who.name, given.password);
        access.sessions.endOf(who.name, who.session);
        return {};
      },
    },
    {
      method: 'GET',
      path: '/audit',
      role: 'admin',
      run: ({ query }) => ({
        entries: audit.find(query.get('text') ?? '', wholeIn(query, 'limit', 500, 1, 5000)),
      }),
    },
  ];
}

function wrongPassword(): never {
  const message = 'the password until now is wrong';
  throw new HeddleError({ code: 'permission_denied', reason: 'WRONG_PASSWORD', message, sent: false });
}
