import { invalid, type Json, objectOf, textOf } from '../fields.ts';

/** Where a person lives. `country` is ISO 3166-1 alpha-2. */
export interface Address {
  readonly street: string;
  readonly postcode: string;
  readonly city: string;
  readonly country: string;
}

/** Somebody who buys. */
export interface User {
  readonly userId: string;
  readonly name: string;
  readonly email: string;
  readonly address: Address;
}

/** Reads what `POST /users` brings. Rejects with `INVALID_FIELD`. */
export function newUser(body: Json, userId: string): User {
  const email = textOf(body, 'email', 200).toLowerCase();
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email))
    throw invalid('email must be an e-mail address, like anna@example.com');
  return {
    userId,
    name: textOf(body, 'name', 100),
    email,
    address: address(objectOf(body['address'], 'address')),
  };
}

function address(body: Json): Address {
  const country = textOf(body, 'country', 2).toUpperCase();
  if (!/^[A-Z]{2}$/.test(country)) throw invalid('country must be two letters (ISO 3166-1), like DE');
  const [street, postcode, city] = [
    textOf(body, 'street', 100),
    textOf(body, 'postcode', 12),
    textOf(body, 'city', 60),
  ];
  return { street, postcode, city, country };
}
