/** Whether an address (which is known to be a host) is an IP literal. */
export function isIP(address: string): boolean {
  return isIPv6(address) || /^[\d.]+$/.test(address);
}

/** Whether it is one of IPv6. */
export function isIPv6(address: string): boolean {
  return address.includes(':');
}
