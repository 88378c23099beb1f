import { HeddleError } from '@heddle/kernel';

/** There is one of this id. */
export function entityExists(id: string): HeddleError {
  const message = `there is an entity ${id} already; update it instead`;
  return new HeddleError({ code: 'already_exists', reason: 'ENTITY_EXISTS', message });
}

/** There is none of this id. */
export function noSuchEntity(id: string): HeddleError {
  return new HeddleError({
    code: 'not_found',
    reason: 'NO_SUCH_ENTITY',
    message: `there is no entity ${id}`,
  });
}

/** Somebody was faster. */
export function staleVersion(id: string, expected: number | undefined, found: number): HeddleError {
  const message = `entity ${id}: expected version ${expected}, found ${found}; read it again`;
  return new HeddleError({ code: 'aborted', reason: 'STALE_VERSION', message });
}
