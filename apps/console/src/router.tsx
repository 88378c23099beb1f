import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { lazy } from 'react';
import { OverviewPage } from './pages/overview.tsx';
import { Shell } from './shell/shell.tsx';

const root = createRootRoute({ component: Shell, notFoundComponent: OverviewPage });
const search = (given: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]));

// The first page comes with the shell, the others when somebody goes there.
const ServicesPage = lazy(async () => ({ default: (await import('./pages/services.tsx')).ServicesPage }));
const TopologyPage = lazy(async () => ({ default: (await import('./pages/topology.tsx')).TopologyPage }));
const TracesPage = lazy(async () => ({ default: (await import('./pages/traces.tsx')).TracesPage }));
const TracePage = lazy(async () => ({ default: (await import('./pages/trace.tsx')).TracePage }));
const DecisionsPage = lazy(async () => ({ default: (await import('./pages/decisions.tsx')).DecisionsPage }));
const LogsPage = lazy(async () => ({ default: (await import('./pages/logs.tsx')).LogsPage }));
const MetricsPage = lazy(async () => ({ default: (await import('./pages/metrics.tsx')).MetricsPage }));
const GatewayPage = lazy(async () => ({ default: (await import('./pages/gateway.tsx')).GatewayPage }));
const ConfigPage = lazy(async () => ({ default: (await import('./pages/config.tsx')).ConfigPage }));
const MessagesPage = lazy(async () => ({ default: (await import('./pages/messages.tsx')).MessagesPage }));
const TransactionsPage = lazy(async () => ({
  default: (await import('./pages/transactions.tsx')).TransactionsPage,
}));
const BoundariesPage = lazy(async () => ({
  default: (await import('./pages/boundaries.tsx')).BoundariesPage,
}));
const ApisPage = lazy(async () => ({ default: (await import('./pages/apis.tsx')).ApisPage }));
const MeshPage = lazy(async () => ({ default: (await import('./pages/mesh.tsx')).MeshPage }));
const RolloutsPage = lazy(async () => ({ default: (await import('./pages/rollouts.tsx')).RolloutsPage }));
const CertificatesPage = lazy(async () => ({
  default: (await import('./pages/certificates.tsx')).CertificatesPage,
}));
const ForeignPage = lazy(async () => ({ default: (await import('./pages/foreign.tsx')).ForeignPage }));
const ComparePage = lazy(async () => ({ default: (await import('./pages/compare.tsx')).ComparePage }));
const AlertsPage = lazy(async () => ({ default: (await import('./pages/alerts.tsx')).AlertsPage }));
const UsersPage = lazy(async () => ({ default: (await import('./pages/users.tsx')).UsersPage }));
const AuditPage = lazy(async () => ({ default: (await import('./pages/audit.tsx')).AuditPage }));

const under = { getParentRoute: () => root, validateSearch: search } as const;
const routes = [
  createRoute({ ...under, path: '/', component: OverviewPage }),
  createRoute({ ...under, path: '/services', component: ServicesPage }),
  createRoute({ ...under, path: '/topology', component: TopologyPage }),
  createRoute({ ...under, path: '/traces', component: TracesPage }),
  createRoute({ ...under, path: '/traces/$id', component: TracePage }),
  createRoute({ ...under, path: '/decisions', component: DecisionsPage }),
  createRoute({ ...under, path: '/logs', component: LogsPage }),
  createRoute({ ...under, path: '/metrics-explorer', component: MetricsPage }),
  createRoute({ ...under, path: '/compare', component: ComparePage }),
  createRoute({ ...under, path: '/mesh', component: MeshPage }),
  createRoute({ ...under, path: '/rollouts', component: RolloutsPage }),
  createRoute({ ...under, path: '/apis', component: ApisPage }),
  createRoute({ ...under, path: '/certificates', component: CertificatesPage }),
  createRoute({ ...under, path: '/pages/$name', component: ForeignPage }),
  createRoute({ ...under, path: '/gateway', component: GatewayPage }),
  createRoute({ ...under, path: '/config', component: ConfigPage }),
  createRoute({ ...under, path: '/messages', component: MessagesPage }),
  createRoute({ ...under, path: '/transactions', component: TransactionsPage }),
  createRoute({ ...under, path: '/boundaries', component: BoundariesPage }),
  createRoute({ ...under, path: '/alerts', component: AlertsPage }),
  createRoute({ ...under, path: '/users', component: UsersPage }),
  createRoute({ ...under, path: '/audit', component: AuditPage }),
];

/** Which page an address is. */
export const router = createRouter({ routeTree: root.addChildren(routes), defaultPreload: 'intent' });
