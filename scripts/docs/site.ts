// The site is made by TypeDoc: the reference from the sources' doc comments, the pages as its documents, one search over both.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  Application,
  type CommentDisplayPart,
  Converter,
  type DocumentReflection,
  LogLevel,
  Logger,
  OptionDefaults,
  ReflectionKind,
} from 'typedoc';
import { root } from '../files.ts';
import { libraries } from '../workspaces.ts';
import { pages, parts, titleOf } from './pages.ts';

/** What was written, and what is wrong with it: links that lead nowhere, comments that TypeDoc cannot read. */
export interface Site {
  readonly pages: number;
  readonly packages: number;
  readonly problems: readonly string[];
}

/** Writes the site into an empty or missing folder. Throws if the sources cannot be read. */
export async function writeSite(folder: string): Promise<Site> {
  const logger = new Collected();
  const entries = entryPoints();
  const all = pages();
  const app = await Application.bootstrap({
    name: 'Heddle',
    readme: path.join(root, 'README.md'),
    entryPoints: entries.map(({ source }) => source),
    projectDocuments: all.map(({ file }) => path.join(root, file)),
    tsconfig: path.join(root, 'tsconfig.json'),
    // `npm run check` has seen to the types; here they are only read.
    skipErrorChecking: true,
    excludeInternal: true,
    excludePrivate: true,
    disableSources: true,
    customCss: path.join(root, 'scripts/docs/site.css'),
    searchInDocuments: true,
    searchInComments: true,
    searchGroupBoosts: { Documents: 3 },
    includeVersion: false,
    githubPages: false,
    defaultCategory: 'Reference',
    categoryOrder: [...parts, 'Reference'],
    navigation: { includeCategories: true, includeGroups: false, compactFolders: false },
    blockTags: [...OptionDefaults.blockTags, '@generated'],
    validation: { invalidLink: true, notExported: false, invalidPath: true, rewrittenLink: true },
    sort: ['source-order'],
  });
  app.logger = logger;
  nameByImport(app, entries);
  namePages(app);
  const project = await app.convert();
  if (project === undefined) throw new Error(`TypeDoc made nothing:\n${logger.problems.join('\n')}`);
  withTitleOfSite(project.readme ?? []);
  app.validate(project);
  await app.generateDocs(project, folder);
  return { pages: all.length, packages: entries.length, problems: logger.problems };
}

/** What a user imports, and the source that answers. */
interface EntryPoint {
  readonly specifier: string;
  readonly source: string;
}

type Exports = Readonly<Record<string, { readonly '@heddle/source'?: string }>>;

function entryPoints(): EntryPoint[] {
  return libraries().flatMap((name) => {
    const folder = path.join(root, 'packages', name);
    const text = readFileSync(path.join(folder, 'package.json'), 'utf8');
    const { exports = {} } = JSON.parse(text) as { exports?: Exports };
    return Object.entries(exports).flatMap(([subpath, { '@heddle/source': source }]) =>
      source === undefined
        ? []
        : [{ specifier: path.posix.join(`@heddle/${name}`, subpath), source: path.join(folder, source) }],
    );
  });
}

/** A module is called what one imports, and not by the place of its file. */
function nameByImport(app: Application, entries: readonly EntryPoint[]): void {
  const bySource = new Map(entries.map(({ specifier, source }) => [source, specifier]));
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (!reflection.kindOf(ReflectionKind.Module)) return;
    const file = context.getSymbolFromReflection(reflection)?.declarations?.[0]?.getSourceFile().fileName;
    const specifier = file === undefined ? undefined : bySource.get(path.normalize(file));
    if (specifier !== undefined) reflection.name = specifier;
  });
}

/** A page is called by its first heading, and stands in its part of the menu. */
function namePages(app: Application): void {
  const byPath = new Map(pages().map((page) => [path.join(root, page.file), page]));
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_: unknown, document: DocumentReflection) => {
    const source = document.project.files.getReflectionPath(document);
    const page = source === undefined ? undefined : byPath.get(path.normalize(source));
    if (page === undefined) return;
    document.name = titleOf(page.file);
    document.frontmatter['category'] = page.part;
    withoutGuesses(document.content);
  });
}

/** A block without a language is no TypeScript, which TypeDoc takes it for. */
function withoutGuesses(content: readonly CommentDisplayPart[]): void {
  for (const part of content) {
    if (part.kind === 'code') part.text = part.text.replace(/^```\n/, '```text\n');
  }
}

/** On the first page the site shows its own name, which is the heading of the README. */
function withTitleOfSite(readme: readonly CommentDisplayPart[]): void {
  withoutGuesses(readme);
  const [first] = readme;
  if (first?.kind === 'text') first.text = first.text.replace(/^# .+\n/m, '');
}

class Collected extends Logger {
  readonly problems: string[] = [];

  override log(message: string, level: LogLevel): void {
    if (level >= LogLevel.Warn) this.problems.push(message);
  }
}
