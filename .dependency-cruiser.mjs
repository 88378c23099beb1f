// The arrows between the parts, as ARCHITECTURE.md draws them. A part may import what its line names and nothing
// else; changing a line is a design decision and belongs in adr/.
const foundation = ['kernel', 'wire', 'traffic', 'telemetry', 'security', 'discovery'];
const arrows = {
  kernel: [],
  wire: ['kernel'],
  traffic: ['kernel'],
  telemetry: ['kernel', 'wire'],
  security: ['kernel'],
  discovery: ['kernel', 'wire'],
  upstream: ['kernel', 'wire', 'traffic', 'discovery'],
  rpc: [...foundation, 'upstream'],
  proxy: [...foundation, 'upstream'],
  mesh: [...foundation, 'upstream', 'proxy/src/model', 'proxy/src/layers'],
  sql: ['kernel'],
  messaging: ['kernel', 'traffic', 'telemetry', 'sql'],
  data: ['kernel', 'traffic', 'telemetry', 'messaging', 'sql'],
  config: ['kernel', 'wire', 'discovery', 'sql'],
  api: ['kernel', 'wire', 'discovery', 'rpc'],
  boundaries: [],
  sim: ['kernel'],
};

const tests = '\\.test\\.ts$';
// What a test may reach although the code beside it may not: the runner, assertions, vectors on disk, properties.
const testTools = [
  '^node:(test|assert|fs|path|url)(/|$)',
  '^(test|assert|fs|path|url)(/|$)',
  'node_modules/fast-check/',
];

const arrowRules = Object.entries(arrows).map(([from, allowed]) => ({
  name: `arrow-${from}`,
  comment: `${from} may import ${allowed.length === 0 ? 'no other part' : allowed.join(', ')} (see arrows in .dependency-cruiser.mjs).`,
  severity: 'error',
  from: { path: `^packages/${from}/` },
  to: { path: '^packages/', pathNot: [from, ...allowed].map((part) => `^packages/${part}(/|\\.ts$)`) },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...arrowRules,
    {
      name: 'arrow-unlisted-package',
      comment: 'A new package says in .dependency-cruiser.mjs what it may import before it imports anything.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/', pathNot: Object.keys(arrows).map((part) => `^packages/${part}/`) },
      to: { path: '^packages/', pathNot: '^packages/$1/' },
    },
    {
      name: 'no-app-in-a-package',
      comment: 'Apps compose packages. A package that needs an app holds code that belongs in a package.',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^(apps|examples|bench|scripts)/' },
    },
    {
      name: 'kernel-imports-nothing',
      comment:
        'The kernel is what every user installs; only its adapters src/node and the contract suites may touch Node.',
      severity: 'error',
      from: { path: '^packages/kernel/', pathNot: ['^packages/kernel/src/(node|testing)/', tests] },
      to: { dependencyTypesNot: ['local'], pathNot: '^packages/kernel/' },
    },
    {
      name: 'pure-parts-without-node',
      comment:
        'traffic and boundaries are pure: they run in a browser, in a test and in the simulation alike.',
      severity: 'error',
      from: { path: '^packages/(traffic|boundaries)/', pathNot: tests },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'tests-of-pure-parts',
      comment:
        'A unit test of a pure part needs the runner, assertions, fast-check and perhaps a file of vectors.',
      severity: 'error',
      from: { path: '^packages/(kernel|traffic|boundaries)/(?!src/node/).*(?<!\\.it)\\.test\\.ts$' },
      to: { pathNot: ['^packages/', ...testTools] },
    },
    {
      name: 'through-the-exports',
      comment:
        'Another package is reached by its name and through its exports, not by a path into its files.',
      severity: 'error',
      from: { path: '^(packages|apps|examples)/([^/]+)/' },
      to: { path: '^(packages|apps|examples)/', pathNot: '^$1/$2/', dependencyTypes: ['local'] },
    },
    {
      name: 'resolvable',
      comment: 'The file or export does not exist. A path that exports does not list ends here too.',
      severity: 'error',
      // What runs beside Temporal's SDK is copied to where that is installed.
      from: { pathNot: '^scripts/engines/temporal/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'no-cycles',
      comment: 'Files that need each other are one file, or hold a third that both need.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/gen/'] },
    exclude: { path: ['/dist/'] },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@heddle/source', 'import', 'node', 'types', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.json', '.d.ts'],
    },
    externalModuleResolutionStrategy: 'node_modules',
  },
};
