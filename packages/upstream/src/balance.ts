import type { Service } from '@heddle/kernel';
import { picked } from '@heddle/traffic';
import type { InstanceGroup } from './instance-group.ts';

/** Sends each attempt to an instance of the group. The innermost of a client's layers: below it there is one instance. */
export function balance<Req, Res>(group: InstanceGroup<Req, Res>): Service<Req, Res> {
  return async (req, call) => {
    const member = await group.pick(call);
    call.set(picked, member.id);
    return member.upstream.service(req, call);
  };
}
