/** The Chinese texts, by the English ones. */
export const chinese: Readonly<Record<string, string>> = {};
