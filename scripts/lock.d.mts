// The types of lock.mjs, which is plain JavaScript because it runs before anything is installed.
export interface Platform {
  readonly os?: string[];
  readonly cpu?: string[];
  readonly libc?: string[];
}
export function completePlatforms(packages: Record<string, object>): string[];
export function platformOf(name: string): Platform | undefined;
