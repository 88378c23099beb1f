/** What a repository keeps: JSON, with an id. */
export interface Entity {
  readonly id: string;
}

/** What may be asked of a field, and by which it may be ordered. */
export type FieldKind = 'text' | 'number' | 'boolean';

/** The fields that criteria may name, with their kinds. */
export type Fields<Kept extends Entity> = {
  readonly [Name in keyof Kept & string]?: NonNullable<Kept[Name]> extends string
    ? 'text'
    : NonNullable<Kept[Name]> extends number
      ? 'number'
      : NonNullable<Kept[Name]> extends boolean
        ? 'boolean'
        : never;
};
