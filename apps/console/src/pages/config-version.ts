/** One version of a place, as the server shows it. */
export interface Version {
  readonly place: string;
  readonly version: number;
  readonly author: string;
  readonly atMs: number;
  readonly comment: string;
  readonly action: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly gray?: {
    readonly audience: { readonly instances?: readonly string[]; readonly percent?: number };
    readonly values: Readonly<Record<string, unknown>>;
  };
}
