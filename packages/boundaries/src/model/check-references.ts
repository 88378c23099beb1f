import type { Problem } from './problem.ts';
import type { Reader } from './reader.ts';
import type { System } from './system.ts';

type Path = Problem['path'];

/** Names that are given twice, and names that are used and not given. Empty names have had their problem. */
export function checkReferences(system: System, reader: Reader): void {
  const known = checkNames(system, reader);
  const need = (name: string, path: Path): void => {
    if (name !== '' && !known.has(name)) {
      reader.report(path, `unknown capability "${name}"${nearest(name, known)}`);
    }
  };
  system.capabilities.forEach((capability, at) => {
    capability.dependencies.forEach(({ on }, index) => {
      const path = ['capabilities', at, 'dependencies', index];
      need(on, path);
      if (on !== '' && on === capability.name) reader.report(path, `"${on}" depends on itself`);
    });
  });
  system.relations.forEach(({ criterion, a, b }, at) => {
    need(a, ['relations', at, 'a']);
    need(b, ['relations', at, 'b']);
    if (criterion !== '' && system.weights[criterion] === undefined) {
      const names = Object.keys(system.weights).join(', ');
      reader.report(['relations', at, 'criterion'], `unknown criterion "${criterion}"; known are ${names}`);
    }
  });
  system.useCases.forEach(({ capabilities, calls }, at) => {
    capabilities.forEach((name, index) => need(name, ['useCases', at, 'capabilities', index]));
    calls.forEach(({ from, to }, index) => {
      need(from, ['useCases', at, 'calls', index, 'from']);
      need(to, ['useCases', at, 'calls', index, 'to']);
    });
  });
  for (const key of ['mustLink', 'cannotLink'] as const) {
    system.constraints[key].forEach((group, at) => {
      group.forEach((name, index) => need(name, ['constraints', key, at, index]));
    });
  }
}

function checkNames({ capabilities }: System, reader: Reader): ReadonlySet<string> {
  const first = new Map<string, number>();
  capabilities.forEach(({ name }, at) => {
    const earlier = first.get(name);
    if (name === '') return;
    if (earlier === undefined) first.set(name, at);
    else
      reader.report(['capabilities', at, 'name'], `"${name}" is also the name of capabilities[${earlier}]`);
  });
  return new Set(first.keys());
}

/** A slip of the pen has a name that it was meant for. Only looked for in lists that a person has written. */
function nearest(name: string, known: ReadonlySet<string>): string {
  if (known.size > 500) return '';
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const like = [...known].find(
    (each) =>
      plain(each) === plain(name) || (name.length > 3 && (each.includes(name) || name.includes(each))),
  );
  return like === undefined ? '' : `; did you mean "${like}"?`;
}
