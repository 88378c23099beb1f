import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { lazy } from 'react';
import { OverviewPage } from './pages/overview.tsx';
import { Shell } from './shell/shell.tsx';

const root = createRootRoute({ component: Shell, notFoundComponent: OverviewPage });
const search = (given: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]));

// The first page comes with the shell, the others when somebody goes there.
const ServicesPage = lazy(async () => ({ default: (await import('./pages/services.tsx')).ServicesPage }));
const UsersPage = lazy(async () => ({ default: (await import('./pages/users.tsx')).UsersPage }));
const AuditPage = lazy(async () => ({ default: (await import('./pages/audit.tsx')).AuditPage }));

const under = { getParentRoute: () => root, validateSearch: search } as const;
const routes = [
  createRoute({ ...under, path: '/', component: OverviewPage }),
  createRoute({ ...under, path: '/services', component: ServicesPage }),
  createRoute({ ...under, path: '/users', component: UsersPage }),
  createRoute({ ...under, path: '/audit', component: AuditPage }),
];

/** Which page an address is. */
export const router = createRouter({ routeTree: root.addChildren(routes), defaultPreload: 'intent' });
