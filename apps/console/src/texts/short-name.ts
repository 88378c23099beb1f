/** A method of gRPC without the package, which all of a service have: what is cut off at a narrow place is its end. */
export function shortName(name: string): string {
  return name.replace(/^(?:[\w-]+\.)+(?=\w+\/\w+$)/, '');
}
