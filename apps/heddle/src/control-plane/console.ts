import type { ConfigCentre } from '@heddle/config';
import type { Registry } from '@heddle/discovery';
import type { Part, Runtime } from '@heddle/kernel';
import type { HttpService } from '@heddle/wire';
import { AuditLog } from './audit-log.ts';
import { Access } from './auth-access.ts';
import { firstPassword } from './auth-first-user.ts';
import { OidcSignIn, oidcSettings } from './auth-oidc.ts';
import { SignIn } from './auth-sign-in.ts';
import { Users } from './auth-users.ts';
import { isApiRequest } from './api-front.ts';
import { accountRoutes } from './api-accounts.ts';
import { alertRoutes } from './api-alerts.ts';
import { boundaryRoutes } from './api-boundaries.ts';
import { configRoutes } from './api-config.ts';
import { contractRoutes } from './api-contracts.ts';
import { decisionRoutes } from './api-decisions.ts';
import { gatewayRoutes } from './api-gateway.ts';
import { instanceRoutes, OperatorHolds } from './api-instances.ts';
import { keyRoutes } from './api-keys.ts';
import { messageRoutes } from './api-messages.ts';
import { traceRoutes } from './api-traces.ts';
import type { OpenContracts } from './api-opened.ts';
import { originRoutes } from './api-origins.ts';
import { transactionRoutes } from './api-transactions.ts';
import { AdminClient } from './admin-client.ts';
import type { Asset } from './console-assets.ts';
import { type ConsoleMesh, consoleMesh } from './console-mesh.ts';
import { foreignPages, foreignRoutes, frameOrigins } from './console-pages.ts';
import { consoleService } from './console-service.ts';
import type { Observer } from './observer.ts';
import { platformStores } from './platform-stores.ts';
import type { ControlPlaneTelemetry } from './telemetry.ts';

/** What a console is opened with. */
export interface ConsoleSurroundings {
  readonly runtime: Runtime;
  readonly registry: Registry;
  readonly observer: Observer;
  readonly telemetry: ControlPlaneTelemetry;
  /** Undefined: there is no config centre here. */
  readonly centre: ConfigCentre | undefined;
  /** Of the registry: programs that show it may everything. */
  readonly token: string;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly mesh: ConsoleMesh;
  /** The catalogue of contracts, for those who are signed in. */
  readonly contracts: OpenContracts;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The first user's password, where the operator has set one. */
  readonly password: string | undefined;
}

/** An open console. */
export interface OpenConsole {
  readonly service: HttpService;
  readonly parts: readonly Part[];
  /** The first user's password if it was made up now: to be shown once, and never logged. */
  readonly madePassword: string | undefined;
}

/** Opens users, sessions and audit log in the data folder, and gives the console with all its pages' APIs. */
export async function openConsole(around: ConsoleSurroundings): Promise<OpenConsole> {
  const { runtime, registry, observer, telemetry, centre, token, assets, contracts, env, password } = around;
  const users = await Users.open(runtime);
  const madePassword = await firstPassword(users, runtime, password);
  const audit = await AuditLog.open(runtime);
  const access = new Access(runtime, users, token);
  const settings = oidcSettings(env);
  const oidc = settings && new OidcSignIn(settings, runtime);
  const signIn = new SignIn({ runtime, access, users, audit, oidc });
  const admin = new AdminClient(runtime, registry, env['HEDDLE_ADMIN_TOKEN']);
  const stores = platformStores(env, runtime);
  const { clock } = runtime;
  const { reader } = telemetry;
  const mesh = await consoleMesh(runtime, around.mesh, telemetry);
  const pages = foreignPages(env);
  const routes = [
    ...accountRoutes(users, access, audit),
    ...instanceRoutes(registry, new OperatorHolds(registry)),
    ...traceRoutes(reader, observer, clock),
    ...decisionRoutes(admin),
    ...gatewayRoutes(admin, reader, clock),
    ...contractRoutes({ ...contracts, runtime, registry, broker: stores.broker }),
    ...keyRoutes(centre, runtime.random, env['HEDDLE_ENVIRONMENT'] ?? 'default'),
    ...mesh.routes,
    ...foreignRoutes(pages, runtime),
    ...originRoutes(admin),
    ...configRoutes(centre),
    ...messageRoutes(stores.broker),
    ...transactionRoutes(stores.databases),
    ...boundaryRoutes(reader, clock),
    ...alertRoutes((req) => telemetry.serviceFor(req), token),
  ];
  const service = consoleService({
    assets,
    frames: frameOrigins(pages),
    observer,
    access,
    audit,
    signIn,
    oidc,
    routes,
    queries: (req) => (isApiRequest(req) ? contracts.service : telemetry.serviceFor(req)),
  });
  const part: Part = {
    name: 'console',
    start: () => Promise.resolve(),
    stop: () => audit.close(),
  };
  return { service, parts: [...stores.parts, ...mesh.parts, part], madePassword };
}
