/** Builds the pages if they are older than what they are made of. Gives whether it did. */
export function build(): Promise<boolean>;
