import type { MeshScope } from '../authorization/index.ts';
import {
  type Finding,
  loadResources,
  makeFinding,
  objectName,
  type ResourceFile,
} from '../resources/index.ts';
import { analysisCatalogue } from './catalogue.ts';
import type { Check, Tell } from './check.ts';
import { authorizationCallers } from './checks/authorization-callers.ts';
import { authorizationRules } from './checks/authorization-rules.ts';
import { destinationRules } from './checks/destination-rules.ts';
import { destinations } from './checks/destinations.ts';
import { entries } from './checks/entries.ts';
import { exports } from './checks/exports.ts';
import { gatewaySecrets } from './checks/gateway-secrets.ts';
import { gateways } from './checks/gateways.ts';
import { hostDuplicates } from './checks/host-duplicates.ts';
import { httpRules } from './checks/http-rules.ts';
import { injection } from './checks/injection.ts';
import { kubernetesGateways } from './checks/kubernetes-gateways.ts';
import { mutualTls } from './checks/mutual-tls.ts';
import { selectors } from './checks/selectors.ts';
import { services } from './checks/services.ts';
import { sidecars } from './checks/sidecars.ts';
import { telemetries } from './checks/telemetries.ts';
import { transportRules } from './checks/transport-rules.ts';
import { workloads } from './checks/workloads.ts';
import { Inventory } from './inventory.ts';

/** How a mesh is analysed. */
export interface AnalyzeOptions extends MeshScope {
  /** The namespace of objects that name none. Default `default`. */
  readonly namespace?: string;
  /** The domain of Kubernetes' names. Default `cluster.local`. */
  readonly domain?: string;
  /**
   * The files are only a part of a mesh: what is not in them may still exist, so its absence is not told. For one
   * file that is being edited. Default false.
   */
  readonly partial?: boolean;
}

/** What an analysis found. */
export interface Analysis {
  /** By file and line. */
  readonly findings: readonly Finding[];
  /** How many objects were looked at. */
  readonly objects: number;
  /** How many are none of the mesh's business. */
  readonly others: number;
}

const checks: readonly Check[] = [
  destinations,
  httpRules,
  transportRules,
  exports,
  hostDuplicates,
  destinationRules,
  mutualTls,
  gateways,
  gatewaySecrets,
  kubernetesGateways,
  authorizationCallers,
  authorizationRules,
  selectors,
  entries,
  sidecars,
  services,
  workloads,
  injection,
  telemetries,
];

/**
 * Looks for mistakes in texts, saved or not: their form, what they refer to, what they say together. Never throws:
 * whatever is wrong is a finding. Objects with an error in their form are looked at as far as they can be read.
 */
export function analyze(files: readonly ResourceFile[], options: AnalyzeOptions = {}): Analysis {
  const { partial = false, domain = 'cluster.local', namespace } = options;
  const loaded = loadResources(files, namespace === undefined ? {} : { namespace });
  const inventory = new Inventory(loaded.resources, options, domain);
  const findings = new Map(loaded.findings.map((each) => [keyOf(each), each] as const));
  const tell: Tell = (code, resource, path, message, own) => {
    const entry = analysisCatalogue[code];
    if (partial && entry.absence === true) return;
    const place = { file: resource.file, at: resource.at, object: objectName(resource) };
    const finding = makeFinding(code, entry, place, path, message, own);
    findings.set(keyOf(finding), finding);
  };
  for (const check of checks) check(inventory, tell);
  const order = new Map(files.map(({ file }, index) => [file, index] as const));
  return {
    findings: [...findings.values()].toSorted(
      (a, b) =>
        (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0) ||
        a.line - b.line ||
        a.column - b.column ||
        a.code.localeCompare(b.code),
    ),
    objects: loaded.resources.length,
    others: loaded.others,
  };
}

function keyOf({ code, file, line, column, field, message }: Finding): string {
  return `${code} ${file}:${line}:${column} ${field} ${message}`;
}
