/** Tells the supervisor, if there is one, that this program serves; `facts` are its URLs and the like. */
export function tellReady(facts: Readonly<Record<string, string>>): void {
  if (process.connected === true) process.send?.({ ready: facts });
}

/** Whether there is a supervisor to tell. */
export function isSupervised(): boolean {
  return process.connected === true;
}
