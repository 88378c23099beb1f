// The types of setup.mjs, which is plain JavaScript because it runs before anything is installed.
export const root: string;
export class SetupError extends Error {}
export function setup(): string;
export function requireSystemNode(version: string): void;
export function isSafeNode(version: string): boolean;
export function isInstalled(folder: string): boolean;
export function orExit<Result>(work: () => Result): Result;
