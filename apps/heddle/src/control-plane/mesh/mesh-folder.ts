import type { Runtime } from '@heddle/kernel';
import type { ResourceFile } from '@heddle/mesh/resources';
import { resourceFiles } from '../../commands/mesh/resource-files.ts';
import { watchDocuments } from '../../node/config-documents.ts';
import type { MeshPlaneOptions } from './mesh-plane.ts';

/** The rules of a mesh in a file or a folder, for `meshPlane`. */
export function meshFolder(place: string, runtime: Runtime): Pick<MeshPlaneOptions, 'watch' | 'read'> {
  return {
    read: (): Promise<readonly ResourceFile[]> => resourceFiles([place]),
    watch: (changed) => watchDocuments(place, runtime, changed),
  };
}
