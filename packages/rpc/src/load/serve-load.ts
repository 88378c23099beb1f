import { sleep } from '@heddle/kernel';
import { OpenRcaService } from '../gen/xds/service/orca/v3/orca_pb.ts';
import type { RpcRouter } from '../server/rpc-service.ts';
import type { LoadReporter } from './load-reporter.ts';

/** No client gets reports more often than this, whatever it asks for. */
const shortestMs = 100;
const defaultMs = 1000;

/** Adds ORCA's service to a server: a stream of load reports that needs no calls to ride on (gRFC A51, out of band). */
export function serveLoad(router: RpcRouter, reporter: LoadReporter): void {
  router.service(OpenRcaService, {
    async *streamCoreMetrics({ reportInterval }, call) {
      const askedMs =
        reportInterval === undefined
          ? defaultMs
          : Number(reportInterval.seconds) * 1000 + reportInterval.nanos / 1e6;
      for (;;) {
        yield reporter.report;
        await sleep(call.runtime.timers, Math.max(shortestMs, askedMs), call);
      }
    },
  });
}
