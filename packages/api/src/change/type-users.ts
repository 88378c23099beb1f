import type { DescEnum, DescMessage, DescService } from '@bufbuild/protobuf';

/** Gives the ids of the methods whose messages hold a type, however deep; those of a service for the service itself. */
export function usersOf(
  types: ReadonlyMap<string, DescMessage | DescEnum | DescService>,
): (type: string) => readonly string[] {
  const users = new Map<string, Set<string>>();
  for (const service of types.values()) {
    if (service.kind !== 'service') continue;
    for (const { name, input, output } of service.methods) {
      const reached = new Set<string>([service.typeName]);
      reach(input, reached);
      reach(output, reached);
      for (const type of reached) {
        const known = users.get(type) ?? new Set();
        users.set(type, known.add(`${service.typeName}/${name}`));
      }
    }
  }
  return (type) => [...(users.get(type) ?? [])];
}

function reach(message: DescMessage, reached: Set<string>): void {
  if (reached.has(message.typeName)) return;
  reached.add(message.typeName);
  for (const { message: inner, enum: values } of message.fields) {
    if (inner !== undefined) reach(inner, reached);
    if (values !== undefined) reached.add(values.typeName);
  }
}
