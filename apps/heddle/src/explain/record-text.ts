import type { DecisionRecord, RecordedAttempt, RecordedCandidate, Stacks } from '@heddle/upstream';

/** Decision records for people, in the order given. */
export function recordsText(records: readonly DecisionRecord[]): string {
  return records.map((record) => `${recordLines(record).join('\n')}\n`).join('\n');
}

/** The stacks of services for people: the layers that are on, each with its reason. */
export function layersText(stacks: Readonly<Record<string, Stacks>>): string {
  return Object.entries(stacks)
    .flatMap(([service, each]) =>
      Object.entries(each).map(([name, lines]) => {
        const on = lines.filter((line) => line.on);
        const off = lines.filter((line) => !line.on).map((line) => line.name);
        const width = Math.max(...on.map((line) => line.name.length));
        const body = on.map((line) => `  ${line.name.padEnd(width)}  ${line.why}`);
        if (off.length > 0) body.push(`  (off: ${off.join(', ')})`);
        return `${service}: ${name}, outermost first\n${body.join('\n')}\n`;
      }),
    )
    .join('\n');
}

function recordLines(record: DecisionRecord): string[] {
  const { process, side, operation, target, at, tookMs, outcome, cause, route, layers } = record;
  const to = target === '' ? '' : ` to ${target}`;
  const result = [outcome.code, outcome.reason, outcome.answer].filter((part) => part !== undefined);
  return [
    `${at}  ${process} (${side}): ${operation}${to}`,
    `  ended ${result.join(' ')} after ${tookMs} ms${deadlineText(record)}`,
    ...(cause === undefined ? [] : [`  cause: ${cause.reason}: ${cause.text}`]),
    `  trace ${record.traceId ?? 'none'}, correlation ${record.correlationId ?? 'none'}`,
    ...(route === undefined ? [] : [`  route ${route.name}, by ${route.rule}`]),
    ...snapshotLines(record),
    ...candidateLines(record),
    ...attemptLines(record.attempts),
    ...Object.entries(layers).map(([layer, text]) => `  ${layer}: ${text}`),
  ];
}

function deadlineText({ deadlineLeftMs }: DecisionRecord): string {
  if (deadlineLeftMs === undefined) return ', no deadline';
  return deadlineLeftMs <= 0 ? ', the deadline had passed' : `, ${deadlineLeftMs} ms before the deadline`;
}

function snapshotLines({ snapshot }: DecisionRecord): string[] {
  if (snapshot === undefined) return [];
  const { revision, ageMs, stale, source, panic, leftOut } = snapshot;
  const others = Object.entries(leftOut).map(([why, count]) => `${count} ${why}`);
  const besides = others.length === 0 ? '' : `; left out: ${others.join(', ')}`;
  const flags = `${stale ? ', stale' : ''}${panic ? ', panic: health is not heeded' : ''}`;
  return [`  registry: revision ${revision} (${source}), ${ageMs} ms old${flags}${besides}`];
}

function candidateLines({ candidates, candidateCount, policy, attempts }: DecisionRecord): string[] {
  if (policy === undefined) return [];
  const picked = new Set(attempts.map(({ instance }) => instance));
  const lines = candidates.map((candidate) => candidateLine(candidate, picked.has(candidate.id)));
  const more = candidateCount - candidates.length;
  return [
    `  ${policy} over ${candidateCount} candidates`,
    ...lines,
    ...(more > 0 ? [`      and ${more} more`] : []),
  ];
}

function candidateLine(candidate: RecordedCandidate, picked: boolean): string {
  const { id, address, zone, weight, health, inFlight, latencyMs, exclusion } = candidate;
  const took = latencyMs === undefined ? '' : `, ${latencyMs} ms a call`;
  const standing = exclusion === undefined ? '' : `; ${exclusion}`;
  return `    ${picked ? '*' : ' '} ${id} at ${address}, zone ${zone}, weight ${weight}, ${health}, ${inFlight} in flight${took}${standing}`;
}

function attemptLines(attempts: readonly RecordedAttempt[]): string[] {
  return attempts.map(({ number, instance, atMs, tookMs, outcome, next }) => {
    const where = instance === undefined ? 'no instance' : `at ${instance}`;
    const took = tookMs === undefined ? 'had not ended' : `took ${tookMs} ms`;
    const result = [outcome?.code, outcome?.reason, outcome?.answer].filter((part) => part !== undefined);
    return `  attempt ${number} ${where}, began after ${atMs} ms, ${took}: ${result.join(' ')}${next === undefined ? '' : ` -> ${next}`}`;
  });
}
