/** What is said to somebody; to nobody in particular where no name is given. */
export function greeting(name: string): string {
  return `Good day, ${name === '' ? 'everybody' : name}!`;
}
