import type { Reader } from './reader.ts';
import type { System } from './system.ts';
import { UnionFind } from './union-find.ts';

/** Constraints that nothing can obey, or that say the same twice. Unknown names have had their problem. */
export function checkConstraints(system: System, reader: Reader): void {
  const { constraints, capabilities } = system;
  const { mustLink, cannotLink, minSize, maxSize } = constraints;
  const together = new UnionFind();
  mustLink.forEach((group, at) => {
    const path = ['constraints', 'mustLink', at];
    if (group.length < 2) reader.report(path, 'expected two or more names in a must-link');
    const [head, ...rest] = group;
    for (const name of rest) {
      // In a tree of links every one says something. One that closes a cycle is a slip: it says nothing or something else.
      if (!together.join(head as string, name)) {
        reader.report(
          path,
          `cyclic must-link: "${head}" and "${name}" are linked already; remove it or mend it`,
        );
      }
    }
  });
  cannotLink.forEach((group, at) => {
    const path = ['constraints', 'cannotLink', at];
    if (group.length < 2) reader.report(path, 'expected two or more names in a cannot-link');
    for (const [index, a] of group.entries()) {
      for (const b of group.slice(index + 1)) {
        if (together.same(a, b))
          reader.report(path, `"${a}" and "${b}" cannot be linked, but a must-link joins them`);
      }
    }
  });
  if (minSize !== undefined && maxSize !== undefined && minSize > maxSize) {
    reader.report(['constraints', 'minSize'], `minSize ${minSize} is above maxSize ${maxSize}`);
  }
  if (minSize !== undefined && minSize > capabilities.length) {
    const path = ['constraints', 'minSize'];
    reader.report(path, `minSize ${minSize} is above the number of capabilities, ${capabilities.length}`);
  }
  checkGroups(system, together, reader);
}

/** What must be together has to fit into one service. */
function checkGroups({ constraints, capabilities }: System, together: UnionFind, reader: Reader): void {
  const { mustLink, maxSize, maxComplexity, oneTeamPerService } = constraints;
  const byName = new Map(capabilities.map((capability) => [capability.name, capability]));
  for (const members of together.groups()) {
    const at = mustLink.findIndex((group) => group.some((name) => members.includes(name)));
    const path = ['constraints', 'mustLink', at];
    const found = members.map((name) => byName.get(name)).filter((each) => each !== undefined);
    const complexity = found.reduce((sum, each) => sum + each.complexity, 0);
    const teams = new Set(found.map(({ team }) => team).filter((team) => team !== undefined));
    const names = members.join(', ');
    if (maxSize !== undefined && members.length > maxSize) {
      reader.report(path, `${names} must be together, which is more than maxSize ${maxSize}`);
    }
    if (maxComplexity !== undefined && complexity > maxComplexity) {
      reader.report(
        path,
        `${names} add up to complexity ${complexity}, above maxComplexity ${maxComplexity}`,
      );
    }
    if (oneTeamPerService && teams.size > 1) {
      reader.report(
        path,
        `${names} belong to the teams ${[...teams].join(', ')}, but a service has one team`,
      );
    }
  }
  if (maxComplexity === undefined) return;
  capabilities.forEach(({ name, complexity }, index) => {
    if (complexity <= maxComplexity) return;
    const path = ['capabilities', index, 'complexity'];
    reader.report(path, `"${name}" alone has complexity ${complexity}, above maxComplexity ${maxComplexity}`);
  });
}
