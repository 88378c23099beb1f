import path from 'node:path';
import { ownFile, shopFile } from '../node/places.ts';
import type { Program } from './program.ts';

const main = ownFile('../main.ts', import.meta.url);

/** Whoever tries something out wants to see it, and not one in ten. What the user says stands. */
const allTraces = { HEDDLE_TRACE_RATIO: process.env['HEDDLE_TRACE_RATIO'] ?? '1' };

/** Where `up` has put things. */
export interface Surroundings {
  readonly dataFolder: string;
  /** Of the registry; a child gets it in its environment. */
  readonly token: string;
}

/** What those need who are administered as well. */
export interface AdminSurroundings extends Surroundings {
  /** Opens admin endpoints, and changes the config centre. */
  readonly adminToken: string;
}

/** The database of the config centre. */
export const configDatabase = 'config';

/** Where a program finds its settings: the config centre of the control plane. */
function settingsFrom(controlPlane: string, token: string): Readonly<Record<string, string>> {
  return { HEDDLE_CONFIG: `heddle://${controlPlane}`, HEDDLE_CONFIG_TOKEN: token };
}

/** The services of the demo shop, in the order in which they are shown. */
export const shopServices = [
  'user',
  'product',
  'inventory',
  'payment',
  'shipping',
  'notification',
  'order',
] as const;

/** PostgreSQL with a database for each name. On a port of its own, since its clients keep their URLs when it restarts. */
export function postgresProgram(
  { dataFolder }: Surroundings,
  port: number,
  databases: readonly string[],
): Program {
  const data = path.join(dataFolder, 'postgres');
  // Longer than anything else: the first start makes the files, a start after a crash recovers.
  const limits = { readyMs: 120_000, stopMs: 15_000 };
  return {
    name: 'postgres',
    file: main,
    args: ['postgres', '--data', data, '--port', String(port), ...databases],
    env: {},
    ...limits,
  };
}

/** What a control plane of `up` is told. */
export interface ControlPlaneOptions {
  /** By service, and the config centre's; the console looks into them. */
  readonly databaseUrls: Readonly<Record<string, string>>;
  /** A folder with rules of alerts and receivers. */
  readonly alerts: string | undefined;
  /** Rules of a mesh, a file or a folder. */
  readonly mesh: string | undefined;
}

/** Registry, config centre and console. */
export function controlPlaneProgram(
  { dataFolder, token, adminToken }: AdminSurroundings,
  port: number,
  { databaseUrls, alerts, mesh }: ControlPlaneOptions,
): Program {
  const { [configDatabase]: own = '', ...services } = databaseUrls;
  const data = path.join(dataFolder, 'control-plane');
  return {
    name: 'control-plane',
    file: main,
    args: [
      'control-plane',
      '--port',
      String(port),
      '--data',
      data,
      ...(alerts === undefined ? [] : ['--alerts', alerts]),
      ...(mesh === undefined ? [] : ['--mesh', mesh]),
    ],
    // In the environment, since URLs have passwords in them.
    env: {
      HEDDLE_REGISTRY_TOKEN: token,
      HEDDLE_ADMIN_TOKEN: adminToken,
      HEDDLE_CONFIG_STORE: own,
      HEDDLE_BROKER_URL: own,
      HEDDLE_SERVICE_DATABASES: JSON.stringify(services),
    },
    readyMs: 90_000,
    stopMs: 10_000,
  };
}

/** The gateway in front of everything. */
export function gatewayProgram(
  { dataFolder, token, adminToken }: AdminSurroundings,
  config: string,
  port: number,
  controlPlane: string,
): Program {
  return {
    name: 'gateway',
    file: main,
    args: [
      'gateway',
      '--config',
      config,
      '--port',
      String(port),
      '--registry',
      controlPlane,
      '--workers',
      '1',
      '--data',
      path.join(dataFolder, 'gateway'),
    ],
    env: {
      HEDDLE_REGISTRY_TOKEN: token,
      HEDDLE_ADMIN_TOKEN: adminToken,
      ...settingsFrom(controlPlane, token),
      ...allTraces,
    },
    readyMs: 90_000,
    stopMs: 15_000,
  };
}

/** What the shop's programs need to know. */
export interface ShopSurroundings extends AdminSurroundings {
  /** `host:port`. */
  readonly controlPlane: string;
  /** By service. */
  readonly databaseUrls: Readonly<Record<string, string>>;
  /** How orders are carried out: see the shop's `CheckoutKind`. */
  readonly checkout: string;
}

/** Two instances of one service of the shop, in two zones. */
export function shopPrograms(service: string, shop: ShopSurroundings): Program[] {
  const { dataFolder, token, adminToken, controlPlane, databaseUrls, checkout } = shop;
  return ['a', 'b'].map((zone, at) => ({
    name: `${service}-${at + 1}`,
    file: shopFile(`${service}/main`),
    args: [],
    env: {
      HEDDLE_REGISTRY: controlPlane,
      HEDDLE_REGISTRY_TOKEN: token,
      SHOP_DATABASE_URL: databaseUrls[service] ?? '',
      SHOP_ADMIN_TOKEN: adminToken,
      SHOP_ZONE: zone,
      SHOP_CHECKOUT: checkout,
      // Each has its own: two that write a file of one name at a time would write into each other's.
      SHOP_DATA: path.join(dataFolder, 'shop', `${service}-${at + 1}`),
      ...settingsFrom(controlPlane, token),
      ...allTraces,
    },
    readyMs: 60_000,
    stopMs: 20_000,
  }));
}

/** Customers, without end. `gateway`: its URL. */
export function loadProgram(gateway: string): Program {
  return {
    name: 'load',
    file: shopFile('load/main'),
    args: ['--gateway', new URL(gateway).host],
    env: {},
    readyMs: 90_000,
    stopMs: 20_000,
  };
}
