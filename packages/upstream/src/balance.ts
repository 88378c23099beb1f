import type { Call, Service } from '@heddle/kernel';
import { picked } from '@heddle/traffic';
import type { InstanceGroup } from './instance-group.ts';
import type { Member } from './member.ts';

/** Sends each attempt to an instance of the group. The innermost of a client's layers: below it there is one instance. */
export function balance<Req, Res>(group: InstanceGroup<Req, Res>): Service<Req, Res> {
  const send = (member: Member<Req, Res>, req: Req, call: Call): Promise<Res> => {
    call.set(picked, member.id);
    // At once after the pick, so that calls which start together see each other.
    member.load.begin(call);
    return member.upstream.service(req, call);
  };
  return (req, call) => {
    const member = group.pick(call);
    if (member !== undefined) return send(member, req, call);
    return group.pickLater(call).then((found) => send(found, req, call));
  };
}
