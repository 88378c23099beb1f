import { HeddleError } from '@heddle/kernel';
import { injectPod } from './inject-pod.ts';
import type { InjectSettings } from './inject-settings.ts';
import { jsonPatch, writtenPatch } from './json-patch.ts';
import { isMembers, type JsonMembers, membersIn, objectsIn, textsIn, textOf } from './json-value.ts';

/** A question of an API server (`admission.k8s.io/v1`), with the answer that it gets. */
export interface Admission {
  /** An AdmissionReview. */
  readonly review: JsonMembers;
  /** For a log. */
  readonly subject: string;
  readonly outcome: 'injected' | 'kept' | 'left' | 'refused';
  readonly notes: readonly string[];
}

const version = 'admission.k8s.io/v1';

/**
 * Answers an AdmissionReview about a pod by the patch that gives it its sidecar. What is not to get one is allowed as it
 * is; what asks for one wrongly is refused, since it would run without. Throws `invalid_argument` / `BAD_REVIEW` for
 * what is no review. `namespaceLabels`: of the pod's namespace, undefined where they are not known.
 */
export function admit(
  asked: unknown,
  settings: InjectSettings,
  namespaceLabels?: Readonly<Record<string, string>>,
): Admission {
  const { apiVersion, kind, request } = membersIn(asked);
  if (apiVersion !== version || kind !== 'AdmissionReview' || !isMembers(request))
    throw badReview(
      `an AdmissionReview of ${version} with a request`,
      `${textOf(apiVersion)} ${textOf(kind)}`,
    );
  const { uid, object, namespace = 'default', operation } = request;
  if (typeof uid !== 'string' || uid === '') throw badReview('a request with a uid', textOf(uid));
  if (!isMembers(object) || !isMembers(object['spec']) || membersIn(request['kind'])['kind'] !== 'Pod')
    throw badReview('a Pod', textOf(membersIn(request['kind'])['kind']));
  const body = { metadata: membersIn(object['metadata']), spec: object['spec'] };
  const workload = workloadOf(body.metadata);
  const subject = `pod ${textOf(namespace)}/${textOf(body.metadata['name'] ?? body.metadata['generateName'] ?? '')}`;
  const answered = (
    outcome: Admission['outcome'],
    notes: readonly string[],
    response: JsonMembers,
  ): Admission => ({
    review: { apiVersion: version, kind: 'AdmissionReview', response: { uid, ...response } },
    subject,
    outcome,
    notes,
  });
  // A pod cannot get containers once it is made.
  if (operation !== 'CREATE') return answered('left', [], { allowed: true });
  try {
    const around = { namespace: textOf(namespace), namespaceLabels, byDefault: settings.byDefault };
    const { body: after, outcome, notes } = injectPod({ body, subject, workload }, around, settings);
    const steps = jsonPatch({ ...object, ...body }, { ...object, ...after });
    const patch = Buffer.from(JSON.stringify(writtenPatch(steps))).toString('base64');
    return answered(outcome, notes, {
      allowed: true,
      ...(steps.length > 0 && { patchType: 'JSONPatch', patch }),
      // The API server shows them to whoever makes the pod; each has 256 bytes at most.
      ...(outcome !== 'left' && notes.length > 0 && { warnings: notes.map((note) => note.slice(0, 120)) }),
    });
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    if (error.code !== 'invalid_argument') throw error;
    const { message } = error;
    return answered('refused', [message], { allowed: false, status: { code: 400, message } });
  }
}

/** What has made a pod, as Istio finds it: a Deployment by the ReplicaSet that it makes, a CronJob by its Job. */
function workloadOf(metadata: JsonMembers): { readonly kind: string; readonly name: string } {
  const owner = objectsIn(metadata['ownerReferences']).find(({ controller }) => controller === true);
  const named = {
    kind: 'Pod',
    name: textOf(metadata['name'] ?? metadata['generateName'] ?? '').replace(/-$/, ''),
  };
  if (owner === undefined) return named;
  const { kind, name } = { kind: textOf(owner['kind']), name: textOf(owner['name']) };
  const hash = textsIn(metadata['labels'])['pod-template-hash'];
  if (kind === 'ReplicaSet' && hash !== undefined && name.endsWith(`-${hash}`))
    return { kind: 'Deployment', name: name.slice(0, -hash.length - 1) };
  const [, cronJob] = /^(.+)-\d{8,10}$/.exec(name) ?? [];
  return kind === 'Job' && cronJob !== undefined ? { kind: 'CronJob', name: cronJob } : { kind, name };
}

function badReview(expected: string, found: string): HeddleError {
  const message = `admission: expected ${expected}, found ${found.trim().slice(0, 100) || 'none'}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_REVIEW', message, sent: false });
}
