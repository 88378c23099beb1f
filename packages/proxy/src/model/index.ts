export type { FieldChanges, RedirectTo, ValueMatch } from './route.ts';
