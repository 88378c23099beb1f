import type { Target } from '../target.ts';
import { grpc } from './grpc.ts';
import { hpack } from './hpack.ts';
import { http1Answers } from './http1-answers.ts';
import { http1Requests } from './http1-requests.ts';
import { http2Answers } from './http2-answers.ts';
import { http2Requests } from './http2-requests.ts';

/** All of them. */
export const targets: readonly Target[] = [
  http1Requests,
  http2Requests,
  hpack,
  grpc,
  http1Answers,
  http2Answers,
];
