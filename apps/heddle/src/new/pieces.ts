import { type NameForms, nameForms, renamed } from './names.ts';
import type { ProjectFile } from './project.ts';

/** The name that the templates have (`examples/pieces`). */
const templateName = 'sample-piece';

/** A template under another name, below `src/` of a project. */
export function pieceFiles(template: readonly ProjectFile[], name: NameForms): readonly ProjectFile[] {
  const own = nameForms(templateName);
  return template.map(({ path, content }) => ({
    path: `src/${renamed(path, own, name)}`,
    content: renamed(content, own, name),
  }));
}

/** The packages of Heddle that files import, sorted. */
export function pieceUses(files: readonly ProjectFile[]): readonly string[] {
  const found = files.flatMap(({ content }) =>
    [...content.matchAll(/from '(@heddle\/[a-z]+)/g)].map(([, name = '']) => name),
  );
  return [...new Set(found)].sort();
}
