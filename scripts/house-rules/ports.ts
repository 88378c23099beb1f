// Time, chance and the outside world come in through ports; the list of places that may go round them is here.
import ts from 'typescript';
import { isCode, type Report, type Rule, type RuleFile } from './rule.ts';

type Need = 'time' | 'chance' | 'io';

/** Where the real clock, real chance and real sockets may be used, and why. Keep it short. */
const exemptions: { readonly where: RegExp; readonly needs: readonly Need[]; readonly why: string }[] = [
  { where: /^packages\/kernel\/src\/node\//, needs: ['time', 'chance', 'io'], why: 'implements the ports' },
  {
    where: /^packages\/[^/]+\/src\/(.+\/)?node\//,
    needs: ['io'],
    why: 'adapters: processes, files, compression',
  },
  {
    where: /^packages\/telemetry\/src\/node\//,
    needs: ['time', 'io'],
    why: 'reads the lateness of the event loop',
  },
  {
    where: /^packages\/kernel\/src\/simulated\/virtual-time\.ts$/,
    needs: ['time'],
    why: 'lets promises settle',
  },
  { where: /^apps\/[^/]+\/src\/node\//, needs: ['time', 'chance', 'io'], why: 'supervises processes' },
  {
    where: /^(scripts|bench|fuzz)\//,
    needs: ['time', 'chance', 'io'],
    why: 'measures and runs real programs',
  },
  { where: /\.it\.test\.ts$/, needs: ['time', 'chance', 'io'], why: 'tests against the real thing' },
  { where: /^apps\/console\/src\//, needs: ['time'], why: 'runs in a browser' },
  { where: /^examples\//, needs: ['io'], why: 'may serve files; its time and chance are the kernel’s' },
];

/** Files (vectors, golden files) that a unit test may read: the disk gives the same answer each time. */
const unitTestModules = /^node:fs$/;

const modules: Readonly<Record<string, Need>> = {
  timers: 'time',
  'timers/promises': 'time',
  perf_hooks: 'time',
  net: 'io',
  tls: 'io',
  dgram: 'io',
  dns: 'io',
  'dns/promises': 'io',
  http: 'io',
  https: 'io',
  http2: 'io',
  fs: 'io',
  'fs/promises': 'io',
  child_process: 'io',
  worker_threads: 'io',
  cluster: 'io',
};

const members: Readonly<Record<string, Need>> = {
  'Date.now': 'time',
  'Temporal.Now': 'time',
  'performance.now': 'time',
  'performance.timeOrigin': 'time',
  'process.hrtime': 'time',
  'Math.random': 'chance',
  'crypto.randomUUID': 'chance',
  'crypto.randomBytes': 'chance',
  'crypto.randomInt': 'chance',
  'crypto.getRandomValues': 'chance',
};

const globals: Readonly<Record<string, Need>> = {
  setTimeout: 'time',
  setInterval: 'time',
  setImmediate: 'time',
};
const randomImports = new Set([
  'randomUUID',
  'randomBytes',
  'randomInt',
  'randomFillSync',
  'randomFill',
  'getRandomValues',
]);
const globalObjects = new Set(['globalThis', 'global']);

export const ports: Rule = {
  name: 'ports',
  why: 'The simulation can only rerun what takes time, chance and the outside world from Clock, Timers, Random, Net and Disk.',
  applies: isCode,
  visit(node, file, report) {
    const need = (what: Need, name: string): void => {
      if (!isExempt(file.path, what)) report(node.getStart(file.source), `${name} needs a port (${what})`);
    };
    checkModule(node, file, need);
    checkUse(node, file, need);
  },
};

type Demand = (need: Need, name: string) => void;

function isExempt(path: string, need: Need): boolean {
  return exemptions.some((exemption) => exemption.where.test(path) && exemption.needs.includes(need));
}

function checkModule(node: ts.Node, file: RuleFile, demand: Demand): void {
  const specifier = importedModule(node);
  if (specifier === undefined) return;
  const module = specifier.replace(/^node:/, '');
  const need = Object.hasOwn(modules, module) ? modules[module] : undefined;
  const readsVectors = file.path.endsWith('.test.ts') && unitTestModules.test(`node:${module}`);
  if (need !== undefined && !readsVectors) demand(need, `node:${module}`);
  if (module !== 'crypto' || !ts.isImportDeclaration(node)) return;
  const bindings = node.importClause?.namedBindings;
  if (bindings === undefined || !ts.isNamedImports(bindings)) return;
  for (const { propertyName, name } of bindings.elements) {
    const imported = (propertyName ?? name).text;
    if (randomImports.has(imported)) demand('chance', `${imported} of node:crypto`);
  }
}

function importedModule(node: ts.Node): string | undefined {
  const at =
    ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
      ? node.moduleSpecifier
      : ts.isCallExpression(node) && isLoader(node.expression)
        ? node.arguments[0]
        : undefined;
  return at !== undefined && ts.isStringLiteralLike(at) ? at.text : undefined;
}

function isLoader(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  return ts.isIdentifier(callee) && callee.text === 'require';
}

function checkUse(node: ts.Node, file: RuleFile, demand: Demand): void {
  if (ts.isPropertyAccessExpression(node)) checkMember(node, file, demand);
  else if (ts.isNewExpression(node) || ts.isCallExpression(node)) checkDate(node, file, demand);
  else if (ts.isIdentifier(node) && isFreeName(node, file)) {
    const need = Object.hasOwn(globals, node.text) ? globals[node.text] : undefined;
    if (need !== undefined) demand(need, node.text);
  }
}

function checkMember(node: ts.PropertyAccessExpression, file: RuleFile, demand: Demand): void {
  const object = node.expression;
  const owner =
    ts.isPropertyAccessExpression(object) && isGlobalObject(object.expression) ? object.name : object;
  if (!ts.isIdentifier(owner)) return;
  const name = `${owner.text}.${node.name.text}`;
  // An imported `crypto` is still chance; any other name that the file declares itself is its own business.
  if (
    owner === object &&
    owner.text !== 'crypto' &&
    owner.text !== 'process' &&
    file.declared.has(owner.text)
  )
    return;
  const need = Object.hasOwn(members, name) ? members[name] : undefined;
  if (need !== undefined) demand(need, name);
  if (isGlobalObject(object) && Object.hasOwn(globals, node.name.text)) demand('time', node.name.text);
}

function isGlobalObject(node: ts.Expression): boolean {
  return ts.isIdentifier(node) && globalObjects.has(node.text);
}

function checkDate(node: ts.NewExpression | ts.CallExpression, file: RuleFile, demand: Demand): void {
  const isDate = ts.isIdentifier(node.expression) && node.expression.text === 'Date';
  if (!isDate || file.declared.has('Date')) return;
  if (ts.isCallExpression(node) || (node.arguments ?? []).length === 0) demand('time', 'the date of now');
}

/** True for `setTimeout` that is the global: not a member, not a property, not a name of this file. */
function isFreeName(node: ts.Identifier, file: RuleFile): boolean {
  if (!Object.hasOwn(globals, node.text) || file.declared.has(node.text)) return false;
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isTypeQueryNode(parent)) return false;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  return !ts.isPropertySignature(parent) && !ts.isMethodSignature(parent) && !ts.isMethodDeclaration(parent);
}

export const noSignalAny: Rule = {
  name: 'no-abort-signal-any',
  why: 'AbortSignal.any leaks memory when one signal lives long and costs microseconds per request; a child Call does the same.',
  applies: isCode,
  visit(node: ts.Node, file: RuleFile, report: Report) {
    if (!ts.isPropertyAccessExpression(node) || node.name.text !== 'any') return;
    if (ts.isIdentifier(node.expression) && node.expression.text === 'AbortSignal') {
      report(node.getStart(file.source), 'AbortSignal.any');
    }
  },
};
