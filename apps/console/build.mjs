// Builds the console's pages into dist/: `build()` does nothing when they are newer than what they are made of. Called by
// scripts/setup.mjs with whatever Node the machine has: plain JavaScript.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import url from 'node:url';
import zlib from 'node:zlib';

const folder = path.dirname(url.fileURLToPath(import.meta.url));
const dist = path.join(folder, 'dist');
const stamp = path.join(dist, '.built');

/** Builds if anything has changed. Gives whether it did. */
export async function build() {
  const wanted = digestOfSources();
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === wanted) return false;
  // Into a folder of its own, since two commands may build at a time and a third one serve.
  const made = fs.mkdtempSync(path.join(folder, '.dist-'));
  try {
    const page = await bundle(made);
    fs.writeFileSync(path.join(made, 'index.html'), page);
    for (const name of fs.readdirSync(path.join(folder, 'public')))
      fs.copyFileSync(path.join(folder, 'public', name), path.join(made, name));
    for (const name of fs.readdirSync(made)) compress(path.join(made, name));
    fs.writeFileSync(path.join(made, '.built'), wanted);
    fs.rmSync(dist, { recursive: true, force: true });
    fs.renameSync(made, dist);
  } catch (error) {
    fs.rmSync(made, { recursive: true, force: true });
    // Somebody else was first.
    if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === wanted) return false;
    throw error;
  }
  return true;
}

const workerSource = 'src/topology/layout-worker.ts';

async function bundle(outdir) {
  const { build: esbuild } = await import('esbuild');
  const { metafile } = await esbuild({
    absWorkingDir: folder,
    entryPoints: ['src/main.tsx', workerSource],
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    target: ['es2022', 'chrome109', 'firefox115', 'safari16.4'],
    jsx: 'automatic',
    minify: true,
    metafile: true,
    legalComments: 'none',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    define: { 'process.env.NODE_ENV': '"production"' },
    plugins: [loadedAs(eachFromItsFile('@mantine/core'), afterTheFirstPage())],
    logLevel: 'error',
  });
  const outputs = Object.entries(metafile.outputs);
  const [script, { imports, cssBundle }] = outputs.find(
    ([, { entryPoint }]) => entryPoint === 'src/main.tsx',
  );
  const first = imports
    .filter(({ kind }) => kind === 'import-statement')
    .map((one) => path.basename(one.path));
  const [worker] = outputs.find(([, { entryPoint }]) => entryPoint === workerSource);
  // What is fetched later imports the first page, and would have a copy of its styles that nothing asks for.
  for (const [file] of outputs)
    if (file.endsWith('.css') && file !== cssBundle) fs.rmSync(path.join(folder, file));
  return html({
    script: path.basename(script),
    style: cssBundle && path.basename(cssBundle),
    imports: first,
    worker: path.basename(worker),
  });
}

/**
 * Names that our sources import from a library's one big index come from the files that define them: through the index,
 * the first page would fetch every widget that any page uses. Its types are left as they are.
 */
function eachFromItsFile(library) {
  const index = url.fileURLToPath(import.meta.resolve(library));
  const places = new Map();
  for (const [, names, from] of fs
    .readFileSync(index, 'utf8')
    .matchAll(/import \{([^}]*)\} from "(\.[^"]+)"/g))
    for (const name of names.split(',')) places.set(name.trim(), path.join(path.dirname(index), from));
  const direct = (names) => {
    const left = [];
    const lines = names.split(',').flatMap((one) => {
      const name = one.trim();
      const place = places.get(name);
      if (place !== undefined) return [`import { ${name} } from ${JSON.stringify(place)};`];
      if (name !== '') left.push(name);
      return [];
    });
    if (left.length > 0) lines.push(`import { ${left.join(', ')} } from '${library}';`);
    return lines.join(' ');
  };
  const statement = new RegExp(`import \\{([^}]*)\\} from '${library}';`, 'g');
  return (text) => text.replaceAll(statement, (_, names) => direct(names));
}

/**
 * What is fetched later imports the first page. It is there by then, and so all that the first page needs is needed by
 * everybody, which makes it one file instead of one for each group of pages that share something.
 */
function afterTheFirstPage() {
  const first = path.join(folder, 'src', 'main.tsx');
  const later = new Set(
    sources().flatMap((file) =>
      [...fs.readFileSync(file, 'utf8').matchAll(/import\('(\.[^']+)'\)/g)].map(([, to]) =>
        path.resolve(path.dirname(file), to),
      ),
    ),
  );
  return (text, file) => (later.has(file) ? `import ${JSON.stringify(first)};${text}` : text);
}

/** Our own sources, each as the changes make it. */
function loadedAs(...changes) {
  return {
    name: 'own sources',
    setup: ({ onLoad }) =>
      onLoad({ filter: /[/\\]src[/\\].*\.tsx?$/ }, ({ path: file }) => {
        if (!file.startsWith(folder)) return undefined;
        const text = fs.readFileSync(file, 'utf8');
        const contents = changes.reduce((made, change) => change(made, file), text);
        return { contents, loader: file.endsWith('x') ? 'tsx' : 'ts', resolveDir: path.dirname(file) };
      }),
  };
}

/** What the script imports and what it asks for first are named too, so that the browser fetches it all at once. */
function html({ script, style, imports, worker }) {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <meta name="layout-worker" content="/${worker}" />
    <title>Heddle</title>
    <link rel="icon" href="/mark.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/${style}" />
    ${imports.map((name) => `<link rel="modulepreload" href="/${name}" />`).join('\n    ')}
    <link rel="preload" as="fetch" href="/api/console/session" crossorigin="anonymous" />
    <script type="module" src="/${script}"></script>
  </head>
  <body>
    <div id="console"></div>
    <noscript>This page needs JavaScript: it shows live measurements.</noscript>
  </body>
</html>
`;
}

function compress(file) {
  const bytes = fs.readFileSync(file);
  if (bytes.length < 1024) return;
  fs.writeFileSync(`${file}.gz`, zlib.gzipSync(bytes, { level: 9 }));
  const params = {
    [zlib.constants.BROTLI_PARAM_QUALITY]: 11,
    [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  fs.writeFileSync(`${file}.br`, zlib.brotliCompressSync(bytes, { params }));
}

function sources() {
  return fs
    .readdirSync(path.join(folder, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.includes('.test.'))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
}

/** By content: a checkout changes times without cause. The lockfile says which libraries go in. */
function digestOfSources() {
  const hash = crypto.createHash('sha256');
  const own = ['build.mjs', 'package.json'].map((name) => path.join(folder, name));
  for (const file of [...own, ...sources().sort()]) {
    hash.update(path.relative(folder, file)).update('\0').update(fs.readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

if (process.argv[1] === url.fileURLToPath(import.meta.url)) {
  const startMs = performance.now();
  const built = await build();
  console.error(
    built
      ? `console: built in ${Math.round(performance.now() - startMs)} ms`
      : 'console: nothing has changed',
  );
}
