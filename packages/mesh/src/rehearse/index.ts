export { readRecording, type RecordedCall } from './recorded-call.ts';
export { type Difference, rehearse, type Rehearsal } from './rehearse.ts';
