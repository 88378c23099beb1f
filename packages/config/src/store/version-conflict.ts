import { HeddleError } from '@heddle/kernel';
import { placeText } from '../place/place.ts';
import type { ConfigVersion } from '../version/version.ts';

/** `aborted` / `VERSION_CONFLICT`: somebody else was first. Nothing has been changed. */
export function versionConflict({ place, version }: ConfigVersion): HeddleError {
  const message = `${placeText(place)} is no longer at version ${version - 1}: somebody has changed it meanwhile; look at it again`;
  return new HeddleError({ code: 'aborted', reason: 'VERSION_CONFLICT', message });
}
