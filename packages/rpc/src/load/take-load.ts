import { fromBinary } from '@bufbuild/protobuf';
import type { Call } from '@heddle/kernel';
import type { Load, LoadReport } from '@heddle/traffic';
import { pickedLoad } from '@heddle/upstream';
import { decodeBinary, type Fields } from '@heddle/wire';
import { type OrcaLoadReport, OrcaLoadReportSchema } from '../gen/xds/data/orca/v3/orca_load_report_pb.ts';
import { loadTrailer } from './load-reporter.ts';

/** The text that was read last from each instance: a server repeats its report until it has a newer one. */
const last = new WeakMap<Load, { readonly text: string; readonly report: LoadReport }>();

/** Notes what the trailers of an answer say of the instance's load, for the policy `orca`. One that cannot be read counts as none. */
export function takeLoad(trailers: Fields, call: Call): void {
  const text = trailers.get(loadTrailer);
  const load = text === undefined ? undefined : call.get(pickedLoad);
  if (text === undefined || load === undefined) return;
  const known = last.get(load);
  const report = known?.text === text ? known.report : read(text);
  if (report === undefined) return;
  if (known?.text !== text) last.set(load, { text, report });
  load.reported(report, call.runtime.clock.nowMs());
}

function read(text: string): LoadReport | undefined {
  try {
    return reportOf(fromBinary(OrcaLoadReportSchema, decodeBinary(text)));
  } catch {
    return undefined;
  }
}

/** ORCA's message as balancing has it. Zero means that the server does not say. */
function reportOf(message: OrcaLoadReport): LoadReport {
  const { applicationUtilization, cpuUtilization, rpsFractional, rps, eps, utilization } = message;
  const eventLoop = utilization['event_loop'] ?? 0;
  const perSecond = rpsFractional > 0 ? rpsFractional : Number(rps);
  return {
    ...(applicationUtilization > 0 && { utilization: applicationUtilization }),
    ...(cpuUtilization > 0 && { cpuUtilization }),
    ...(eventLoop > 0 && { eventLoopUtilization: eventLoop }),
    ...(perSecond > 0 && { perSecond }),
    ...(eps > 0 && { errorsPerSecond: eps }),
  };
}
