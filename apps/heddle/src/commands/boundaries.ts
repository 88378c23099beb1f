import {
  analyse,
  type Assignment,
  type BoundariesReport,
  compareAssignments,
  type Constraints,
  type Drift,
  driftMarkdown,
  driftOf,
  literalRule,
  mergeSystems,
  placeOf,
  type Plan,
  planOfReport,
  planOfToday,
  readPlan,
  readReference,
  reportMarkdown,
  reportPage,
  type System,
} from '@heddle/boundaries';
import { type Command, exitCodes, type Given, usageError, type World } from '../command.ts';
import { writeTextFile } from '../node/boundaries-files.ts';
import { readTextFile } from '../node/config-file.ts';
import { inputError, parseFile, placed } from './boundaries/document.ts';
import { readInputs } from './boundaries/inputs.ts';
import { runningSystem } from './boundaries/running.ts';
import { comparisonText, driftText, literalText, reportText } from './boundaries/output.ts';
import { boundariesUsage } from './boundaries.usage.ts';

/** `heddle boundaries`. */
export const boundaries: Command = {
  ...boundariesUsage,
  run: async (given, world) => {
    const [what, ...paths] = given.words;
    const action = what === 'analyze' ? 'analyse' : what;
    if (action !== 'analyse' && action !== 'compare' && action !== 'drift') {
      throw usageError(`"heddle boundaries" needs "analyse", "compare" or "drift", found "${what ?? ''}"`);
    }
    checkOptions(action, given);
    if (paths.length === 0 && given.text('git') === undefined && !given.flag('running')) {
      throw usageError(`"heddle boundaries ${action}" needs a file, a folder, --git or --running`);
    }
    return { analyse: runAnalyse, compare: runCompare, drift: runDrift }[action](given, world, paths);
  },
};

const only: Readonly<Record<string, string>> = {
  reference: 'compare',
  plan: 'drift',
  today: 'analyse',
  compat: 'analyse',
  html: 'analyse',
};

/** An option that an action would not look at is a mistake of the user's, who believes that it does. */
function checkOptions(action: string, given: Given): void {
  for (const [name, owner] of Object.entries(only)) {
    const there = given.text(name) !== undefined || given.flag(name);
    if (there && owner !== action) throw usageError(`--${name} belongs to "heddle boundaries ${owner}"`);
  }
  const isPlaced = ['plane', 'data', 'without'].some((name) => given.text(name) !== undefined);
  if (isPlaced && !given.flag('running'))
    throw usageError('--plane, --data and --without belong to --running');
  if (action === 'compare' && given.flag('markdown')) throw usageError('"compare" has no --markdown');
  if (given.flag('json') && given.flag('markdown'))
    throw usageError('--json and --markdown exclude each other');
}

async function runAnalyse(given: Given, world: World, paths: readonly string[]): Promise<number> {
  const { terminal } = world;
  const system = await systemOf(given, paths);
  const json = (value: unknown): void => terminal.out(`${JSON.stringify(value, undefined, 2)}\n`);
  const compat = given.text('compat');
  if (compat !== undefined) {
    if (compat !== 'seed') throw usageError(`--compat knows "seed" only, found "${compat}"`);
    const literal = literalRule(system.capabilities);
    if (given.flag('json')) json(literal);
    else terminal.out(literalText(literal, terminal));
    return exitCodes.done;
  }
  if (given.flag('today')) {
    json(planDocument(todayOf(system)));
    return exitCodes.done;
  }
  const report = analysed(given, system);
  const page = given.text('html');
  if (page !== undefined) writeTextFile(page, reportPage(report), 'page');
  if (given.flag('json')) json(report);
  else if (given.flag('markdown')) terminal.out(reportMarkdown(report));
  else
    terminal.out(`${reportText(report, terminal)}${page === undefined ? '' : `\nthe page is in ${page}\n`}`);
  return exitCodes.done;
}

async function runCompare(given: Given, world: World, paths: readonly string[]): Promise<number> {
  const file = given.text('reference');
  if (file === undefined) throw usageError('"heddle boundaries compare" needs --reference');
  const [only, ...more] = paths;
  const report = more.length === 0 && only !== undefined ? reportIn(only) : undefined;
  const plan = report ?? planOfReport(analysed(given, await systemOf(given, paths)));
  const comparison = compareAssignments(assignmentOf(plan), referenceIn(file));
  if (comparison.unplaced.length === comparison.items) {
    throw inputError([`${file}: none of its ${comparison.items} names is among those that were grouped`]);
  }
  const text = given.flag('json')
    ? `${JSON.stringify(comparison, undefined, 2)}\n`
    : comparisonText(comparison);
  world.terminal.out(text);
  return exitCodes.done;
}

async function runDrift(given: Given, world: World, paths: readonly string[]): Promise<number> {
  const file = given.text('plan');
  if (file === undefined) throw usageError('"heddle boundaries drift" needs --plan');
  const observed = await systemOf(given, paths);
  todayOf(observed);
  const drift = driftOf(planIn(file), observed);
  if (given.flag('json')) world.terminal.out(`${JSON.stringify(drift, undefined, 2)}\n`);
  else world.terminal.out(given.flag('markdown') ? driftMarkdown(drift) : driftText(drift, world.terminal));
  return drift.some(isBroken) ? exitCodes.failed : exitCodes.done;
}

function isBroken({ severity }: Drift): boolean {
  return severity === 'error';
}

/** The inputs with what the command line says of constraints and weights. */
async function systemOf(given: Given, paths: readonly string[]): Promise<System> {
  const running = given.flag('running') ? await runningSystem(given) : undefined;
  const system = readInputs({ paths, git: given.text('git'), running });
  const [maxSize, minSize] = [whole(given, 'max-size', 1), whole(given, 'min-size', 1)];
  const maxComplexity = whole(given, 'max-complexity', 0);
  const constraints: Constraints = {
    ...system.constraints,
    ...(maxSize !== undefined && { maxSize }),
    ...(minSize !== undefined && { minSize }),
    ...(maxComplexity !== undefined && { maxComplexity }),
    oneTeamPerService: system.constraints.oneTeamPerService || given.flag('one-team'),
  };
  // Together they may ask for what cannot be: that is found where the inputs are checked.
  const checked = mergeSystems([{ ...system, constraints, weights: weightsOf(given, system) }]);
  if (checked.ok) return checked.value;
  throw inputError(checked.problems.map(({ path, message }) => `${placeOf(path)}: ${message}`));
}

function weightsOf(given: Given, system: System): System['weights'] {
  const text = given.text('weights');
  if (text === undefined) return system.weights;
  const own = text.split(',').map((part): [string, number] => {
    const [name = '', value = ''] = part.split('=').map((each) => each.trim());
    if (system.weights[name] === undefined) {
      throw usageError(`--weights knows ${Object.keys(system.weights).join(', ')}; found "${name}"`);
    }
    const number = value === '' ? Number.NaN : Number(value);
    if (!Number.isFinite(number) || number < 0) {
      throw usageError(`--weights expects ${name}=<number of at least 0>, found "${part}"`);
    }
    return [name, number];
  });
  const weights = { ...system.weights, ...Object.fromEntries(own) };
  if (Object.values(weights).every((weight) => weight === 0)) {
    throw usageError('--weights needs one above 0');
  }
  return weights;
}

function whole(given: Given, name: string, least: number): number | undefined {
  const text = given.text(name);
  if (text === undefined) return undefined;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (value >= least) return value;
  throw usageError(`--${name} expects a whole number of at least ${least}, found "${text}"`);
}

function analysed(given: Given, system: System): BoundariesReport {
  const [seed, services] = [whole(given, 'seed', 0), whole(given, 'services', 1)];
  return analyse(system, {
    ...(seed !== undefined && { seed }),
    ...(services !== undefined && { services }),
  });
}

function todayOf(system: System): Plan {
  const plan = planOfToday(system);
  if (plan.services.length > 0) return plan;
  throw inputError([
    'no capability says which service it is in; traces do, and "service" in a capability document',
  ]);
}

function planDocument({ services }: Plan): unknown {
  return { services: Object.fromEntries(services.map(({ name, ...service }) => [name, service])) };
}

function planIn(path: string): Plan {
  const file = parseFile(path, readTextFile(path, 'plan'));
  const plan = readPlan(file.value);
  if (!plan.ok) throw inputError(placed(file, plan.problems));
  return plan.value;
}

/** A report or a plan, if the file is one. */
function reportIn(path: string): Plan | undefined {
  if (!/\.(ya?ml|json)$/.test(path)) return undefined;
  const { value } = parseFile(path, readTextFile(path, 'input'));
  const fits =
    typeof value === 'object' && value !== null && 'services' in value && !('capabilities' in value);
  return fits ? planIn(path) : undefined;
}

function referenceIn(path: string): Assignment {
  if (/\.(ya?ml|json)$/.test(path)) return assignmentOf(planIn(path));
  const reference = readReference(readTextFile(path, 'reference'));
  if (reference !== undefined) return reference;
  throw inputError([
    `${path}: expected lines of "contain <service> <name>", or a table with "reference decomposition"`,
  ]);
}

function assignmentOf({ services }: Plan): Assignment {
  return new Map(
    services.flatMap(({ name, capabilities }) => capabilities.map((each) => [each, name] as const)),
  );
}
