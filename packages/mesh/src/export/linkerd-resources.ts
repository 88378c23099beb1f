import type { Cluster } from '../model/index.ts';
import { ofType, type Resource } from '../resources/index.ts';
import { Directory, translate, type TranslateOptions } from '../translate/index.ts';
import { linkerd, type LinkerdExport } from './linkerd.ts';

/** The rules of some resources for Linkerd; the labels of subsets are those of the DestinationRules. */
export function linkerdOf(resources: readonly Resource[], options: TranslateOptions = {}): LinkerdExport {
  const directory = new Directory(resources, options.domain ?? 'cluster.local');
  return linkerd(translate(resources, options), (cluster) => labelsOf(cluster, resources, directory));
}

function labelsOf(
  { host, subset }: Cluster,
  resources: readonly Resource[],
  directory: Directory,
): Readonly<Record<string, string>> | undefined {
  const rules = ofType(resources, 'DestinationRule').filter(
    ({ metadata, spec }) => directory.fullName(spec.host, metadata.namespace) === host,
  );
  const found = rules.flatMap(({ spec }) => spec.subsets ?? []).find(({ name }) => name === subset);
  return found === undefined ? undefined : { ...directory.find(host, '')?.selector, ...found.labels };
}
