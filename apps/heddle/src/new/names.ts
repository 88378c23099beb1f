import { usageError } from '../command.ts';

/** The forms in which a service's name stands in code, contracts and manifests. */
export interface NameForms {
  /** `order-history`: packages, images, the registry. */
  readonly kebab: string;
  /** `order_history`: protobuf. */
  readonly snake: string;
  /** `OrderHistory`: types and gRPC services. */
  readonly pascal: string;
  /** `orderHistory`: the beginning of functions' names. */
  readonly camel: string;
}

// A name for DNS too, with room for what is put behind it.
const allowed = /^(?=.{1,40}$)[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/;

/** The forms of a name. Throws a usage error for one that is no name for a service everywhere. */
export function nameForms(kebab: string): NameForms {
  if (!allowed.test(kebab)) {
    const expected = 'small letters, digits and single hyphens, a letter first in each part, 40 at most';
    throw usageError(`a service's name has ${expected}, as in order-history; found "${kebab}"`);
  }
  const pascal = kebab.replace(/(^|-)([a-z])/g, (_, _hyphen, letter: string) => letter.toUpperCase());
  const camel = `${pascal.slice(0, 1).toLowerCase()}${pascal.slice(1)}`;
  return { kebab, snake: kebab.replaceAll('-', '_'), pascal, camel };
}

/** A text in which one name stands for another, in all forms. */
export function renamed(text: string, from: NameForms, to: NameForms): string {
  const forms = ['kebab', 'snake', 'pascal', 'camel'] as const;
  const names = new Map(forms.map((form) => [from[form], to[form]]));
  return text.replace(new RegExp([...names.keys()].join('|'), 'g'), (found) => names.get(found) ?? found);
}
