interface FamilyText {
  readonly head: string[];
  readonly samples: string[];
}

/**
 * One exposition of several processes: every sample gets the label `worker`, families stay together as the format wants.
 */
export function mergedMetrics(texts: ReadonlyMap<string, string>): string {
  const families = new Map<string, FamilyText>();
  for (const [worker, text] of texts) {
    let family: FamilyText | undefined;
    for (const line of text.split('\n')) {
      const named = /^# (HELP|TYPE) (\S+)/.exec(line)?.[2];
      if (named !== undefined) {
        family = families.get(named) ?? { head: [], samples: [] };
        families.set(named, family);
        if (!family.head.includes(line)) family.head.push(line);
      } else if (line !== '' && !line.startsWith('#')) {
        family?.samples.push(labelled(line, worker));
      }
    }
  }
  const lines = [...families.values()].flatMap(({ head, samples }) => [...head, ...samples]);
  return `${lines.join('\n')}\n`;
}

function labelled(line: string, worker: string): string {
  const brace = line.indexOf('{');
  if (brace === -1) return line.replace(' ', `{worker="${worker}"} `);
  const comma = line[brace + 1] === '}' ? '' : ',';
  return `${line.slice(0, brace + 1)}worker="${worker}"${comma}${line.slice(brace + 1)}`;
}
