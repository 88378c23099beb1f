/** How a kind of data differs: a number for each word, and the word of what is not listed. */
interface Scale {
  readonly steps: Readonly<Record<string, number>>;
  readonly otherwise: number;
}

/** The compatibility criteria of Service Cutter with the numbers of its characteristics. */
export const scales: Readonly<Record<string, Scale>> = {
  structuralVolatility: { steps: { Often: 10, Normal: 4, Rarely: 0 }, otherwise: 4 },
  contentVolatility: { steps: { Often: 10, Regularly: 5, Rarely: 0 }, otherwise: 5 },
  consistencyCriticality: { steps: { High: 10, Eventually: 4, Weak: 0 }, otherwise: 10 },
  availabilityCriticality: { steps: { Critical: 10, Normal: 4, Low: 0 }, otherwise: 4 },
  storageSimilarity: { steps: { Tiny: 0, Normal: 3, Huge: 10 }, otherwise: 3 },
  securityCriticality: { steps: { Critical: 10, Internal: 3, Public: 0 }, otherwise: 3 },
};

/** Groups of nanoentities that pull together, by the key of the user representations. */
export const cohesiveGroups: Readonly<Record<string, string>> = {
  aggregates: 'consistency constraint',
  securityAccessGroups: 'security context',
  sharedOwnerGroups: 'shared owner',
  entities: 'identity and lifecycle',
};

/** Its priorities: M for what pulls or is a constraint, XS for what only differs. */
export const priorities = { medium: 3, extraSmall: 0.5 } as const;

/** What a pair of accesses in one use case is worth. */
export const accessScores = { writeWrite: 10, readRead: 3, mixed: 3, aggregation: 1 } as const;
