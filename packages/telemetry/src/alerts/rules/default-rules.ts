/** The name of the group below. A document that has a group of this name replaces it. */
export const defaultGroup = 'heddle-defaults';

/**
 * The rules that there are with nothing configured, in Prometheus' form: more than 5 % of a service's requests fail for
 * five minutes; they take more than 2 s on average for ten; a process has more than 80 % of the memory that it may have for
 * five. A service that nobody calls has neither rate: it is idle, not failing.
 */
export const defaultRules: string = `groups:
  - name: ${defaultGroup}
    interval: 15s
    rules:
      - alert: HighErrorRate
        expr: |
          (
            sum by (job) (rate(http_requests_total{status_code=~"5.."}[1m]))
              / sum by (job) (rate(http_requests_total[1m]))
          ) > 0.05
          or
          (
            sum by (job) (rate(rpc_server_calls_total{code=~"unknown|deadline_exceeded|resource_exhausted|internal|unavailable|data_loss"}[1m]))
              / sum by (job) (rate(rpc_server_calls_total[1m]))
          ) > 0.05
        for: 5m
        labels:
          severity: critical
        annotations:
          summary: '{{ $labels.job }} fails {{ $value | humanizePercentage }} of its requests'
          description: More than 5 % of the requests have failed for five minutes.
      - alert: HighResponseTime
        expr: |
          (
            sum by (job) (rate(http_request_duration_seconds_sum[1m]))
              / sum by (job) (rate(http_request_duration_seconds_count[1m]))
          ) > 2
          or
          (
            sum by (job) (rate(rpc_server_duration_seconds_sum[1m]))
              / sum by (job) (rate(rpc_server_duration_seconds_count[1m]))
          ) > 2
        for: 10m
        labels:
          severity: warning
        annotations:
          summary: '{{ $labels.job }} takes {{ $value | humanizeDuration }} for a request'
          description: The mean duration of requests has been more than 2 s for ten minutes.
      - alert: HighMemoryUsage
        expr: process_resident_memory_bytes / process_memory_limit_bytes > 0.8
        for: 5m
        labels:
          severity: warning
        annotations:
          summary: '{{ $labels.instance }} of {{ $labels.job }} uses {{ $value | humanizePercentage }} of its memory'
          description: The process has had more than 80 % of the memory that it may have for five minutes.
`;
