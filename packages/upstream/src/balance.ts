import { type Call, type CallKey, callKey, type Service } from '@heddle/kernel';
import { type Load, picked } from '@heddle/traffic';
import { attemptNotes } from './explain/recording.ts';
import type { GroupView, InstanceGroup } from './instance-group.ts';
import type { Member } from './member.ts';

/** Set on an attempt with its instance: where what that says of its load is to be noted (`Load.reported`). */
export const pickedLoad: CallKey<Load | undefined> = callKey<Load | undefined>('picked-load', undefined);

/** Sends each attempt to an instance of the group. The innermost of a client's layers: below it there is one instance. */
export function balance<Req, Res>(group: InstanceGroup<Req, Res>): Service<Req, Res> {
  const send = (member: Member<Req, Res>, req: Req, call: Call): Promise<Res> => {
    call.set(picked, member.id).set(pickedLoad, member.load);
    const notes = call.get(attemptNotes);
    if (notes !== undefined) {
      notes.member = member as Member<unknown, unknown>;
      notes.view = group.view as GroupView<unknown, unknown>;
    }
    // At once after the pick, so that calls which start together see each other.
    member.load.begin(call);
    return member.held.guard.service(req, call);
  };
  return (req, call) => {
    const member = group.pick(call);
    if (member !== undefined) return send(member, req, call);
    const notes = call.get(attemptNotes);
    // For the record of a call that finds nobody.
    if (notes !== undefined) notes.view = group.view as GroupView<unknown, unknown>;
    return group.pickLater(call, (found) => send(found, req, call));
  };
}
