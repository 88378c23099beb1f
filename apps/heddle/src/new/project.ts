import { fromBinary, fromJsonString, toBinary, toJsonString } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { type NameForms, nameForms, renamed } from './names.ts';

/** A file by its path within the project. */
export interface ProjectFile {
  readonly path: string;
  readonly content: string;
}

/** Packages of Heddle in files, instead of in a registry of packages. */
export interface PackedPackages {
  /** By package name, of all that is used, directly or not: the file's name. */
  readonly files: Readonly<Record<string, string>>;
}

/** The folder of a project in which `PackedPackages` lie. */
export const packagesFolder = 'packages';

/** The name that the template has, which is a service of its own: `examples/daily-greeting`. */
export const templateName = 'daily-greeting';

// The compiler of the user's project; within Heddle's repository there is one already.
const compiler = { typescript: '^7.0.2' };

/** The template under another name, and with a package.json that stands alone. */
export function projectFiles(
  template: readonly ProjectFile[],
  name: NameForms,
  packed?: PackedPackages,
): ProjectFile[] {
  const own = nameForms(templateName);
  return template.map(({ path, content }) => {
    const text = path.includes('/gen/') ? withDescriptor(content, own, name) : content;
    const file = { path: renamed(path, own, name), content: renamed(text, own, name) };
    return path === 'package.json' ? { ...file, content: packageJson(file.content, packed) } : file;
  });
}

/** Generated code holds the contract a second time: as a descriptor in base64, in which names have their lengths. */
function withDescriptor(code: string, from: NameForms, to: NameForms): string {
  return code.replace(/(fileDesc\(")([\w+/]+)/, (_, before: string, base64: string) => {
    const schema = FileDescriptorProtoSchema;
    const json = toJsonString(schema, fromBinary(schema, Buffer.from(base64, 'base64')));
    const bytes = toBinary(schema, fromJsonString(schema, renamed(json, from, to)));
    return `${before}${Buffer.from(bytes).toString('base64').replaceAll('=', '')}`;
  });
}

function packageJson(text: string, packed: PackedPackages | undefined): string {
  const { dependencies, devDependencies, ...rest } = JSON.parse(text) as Record<string, object>;
  const isDevelopment = (name: string): boolean => Object.hasOwn(devDependencies ?? {}, name);
  const places = Object.entries(packed?.files ?? {}).map(
    ([name, file]) => [name, `file:${packagesFolder}/${file}`] as const,
  );
  const inOrder = (all: object): object =>
    Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
  const whole = {
    ...rest,
    dependencies: inOrder({
      ...dependencies,
      ...Object.fromEntries(places.filter(([name]) => !isDevelopment(name))),
    }),
    devDependencies: inOrder({
      ...devDependencies,
      ...Object.fromEntries(places.filter(([name]) => isDevelopment(name))),
      ...compiler,
    }),
  };
  return `${JSON.stringify(whole, undefined, 2)}\n`;
}
