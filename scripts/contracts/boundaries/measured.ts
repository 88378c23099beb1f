// What the analyser finds in a code base with a reference.
import { analyse, compareAssignments, type Comparison, readReference, type System } from '@heddle/boundaries';

/** Groups with the defaults and compares with the reference. */
export function measured(system: System, reference: string, seed: number = 1): Comparison {
  const { services } = analyse(system, { seed });
  const found = new Map(
    services.flatMap(({ name, capabilities }) => capabilities.map((each) => [each, name] as const)),
  );
  const wanted = readReference(reference);
  if (wanted === undefined) throw new Error('the reference cannot be read');
  return compareAssignments(found, wanted);
}
