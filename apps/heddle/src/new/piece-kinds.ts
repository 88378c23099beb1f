/** What `heddle add` knows, and what each is. */
export const pieceKinds: Readonly<Record<string, string>> = {
  saga: 'steps with compensations that survive kill -9',
  consumer: 'a reader of a topic, in a group',
};
